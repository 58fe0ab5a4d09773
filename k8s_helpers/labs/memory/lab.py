"""The lab `memory`, as the registry knows it."""

from ..lab import OVERSLEPT_WAITS, SLOWER_STARTS, Explained, Lab

LAB = Lab(
    name="memory",
    title="La fuite de mémoire en Java : deux morts, et les redémarrages",
    folder="08_ressources",
    explained={
        **{
            f"{variant}.wait-{delay_s}": Explained(
                f"{variant} : attente de {delay_s} s", OVERSLEPT_WAITS
            )
            for variant in ("default-heap", "large-heap")
            for delay_s in (0, 10, 20, 40)
        },
        "default-heap.life": Explained("default-heap : durée de vie", SLOWER_STARTS),
    },
)
