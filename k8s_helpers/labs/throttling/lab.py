"""The lab `throttling`, as the registry knows it."""

from ..lab import Explained, Lab

LAB = Lab(
    name="throttling",
    title="Le même calcul sous plusieurs limites de processeur",
    folder="08_ressources",
    explained={
        "500m.median": Explained(
            "500m : médiane",
            "60 ms de calcul à un demi-processeur tiennent en 60 à 110 ms, selon l’instant de la tranche de 100 "
            "ms où la requête tombe",
        ),
    },
)
