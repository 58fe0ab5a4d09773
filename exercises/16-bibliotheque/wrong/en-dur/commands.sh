kubectl set env deployment bibliotheque MESSAGE="Ouvert de 8 h à 20 h, silence au deuxième étage"
