kubectl set selector service billetterie app=billetterie,role=web
