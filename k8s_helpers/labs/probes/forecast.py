"""What each variant of probes must do, from its manifest alone, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._interruption import stoppable
from ..._progress import Progress
from ...builds import images
from ...cluster import Cluster, current_cluster
from ...draw.table import Table
from ...forecasts.probes import Forecast
from ...kube import manifests
from .variants import FILES, check, chosen
from .words import foreseen, title


@stoppable
def foresee(
    variants: Sequence[str] | Mapping[str, manifests.Source] = tuple(FILES),
    *,
    delay_s: float = 60.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Table:
    """Return what `measure` must show, from the manifests alone: when each variant gets Ready, when it is killed.

    Nothing is started. The cluster only says whether the program is the real one or its stand-in, which starts sooner.

    Parameters
    ----------
    variants, delay_s
        As `measure` takes them.
    cluster, progress : optional
        Otherwise those in use; the program may have to be built first.

    Raises
    ------
    UsageError
        An unknown variant, a manifest that is not one, or a number out of its bounds.
    """
    check(variants, delay_s)
    image = images.spring(cluster or current_cluster(), "v1", progress)
    return tabulate_forecast(
        {variant.name: variant.forecast for variant in chosen(variants, delay_s, image)}
    )


def tabulate_forecast(forecasts: Mapping[str, Forecast]) -> Table:
    """Return when each variant must become Ready and be killed, by variant."""
    rows = tuple(
        (
            title(name),
            foreseen(forecast.ready),
            f"{'peut-être ' if forecast.kill and not forecast.certain else ''}{foreseen(forecast.kill)}",
        )
        for name, forecast in forecasts.items()
    )
    caption = "Ce que le manifeste laisse prévoir, en secondes après le démarrage du conteneur"
    return Table(caption, ("variante", "Ready", "premier arrêt"), rows)
