{"vignettes": "Docker Compose", "place_de_marche": "Docker Compose"}
