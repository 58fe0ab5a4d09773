"""The lab `update`, as the registry knows it."""

from ..lab import SLOWER_STARTS, Explained, Lab

LAB = Lab(
    name="update",
    title="Les stratégies de mise à jour sous trafic",
    folder="09_mises_a_jour",
    explained={
        f"{strategy}.{code}": Explained(f"{strategy} : {words}", SLOWER_STARTS)
        for strategy, code, words in (
            ("rolling-naive", "duration", "durée"),
            ("rolling-naive", "outage", "interruption"),
            ("recreate", "duration", "durée"),
            ("recreate", "outage", "interruption"),
            ("blue-green", "duration", "durée"),
        )
    },
)
