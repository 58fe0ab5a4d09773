kubectl set selector service billetterie equipe=culture
