"""The frame of the experiments on the app "vitrine": images, one namespace a run, recorder, traffic, live chart."""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import _paths, images, manifests
from .._errors import WaitTimeoutError
from .._progress import Progress, reporting
from ..charts.figure import DescribedFigure
from ..charts.live import Live
from ..cluster import Cluster, Namespace, current_cluster
from ..cluster.conditions import ready
from ..load import Traffic
from ..recorder import Reading, Recorder
from ..recording import Recording, Run
from .stage import ROLLOUT_TIMEOUT_S, Stage
from .together import Crowd

MANIFESTS = _paths.COURSE / "notebooks" / "manifests"
APP = "vitrine"
_POLL_S = 0.1

Change = Callable[[dict[str, Any]], None]
"""What fits an object of the course to a run, in place."""


class Show:
    """An experiment under way: its cluster, its images, the runs that it has made.

    Parameters
    ----------
    experiment : str
        Its name in recordings.
    cluster : Cluster
        Where it plays.
    folder : Path
        Of its manifests.
    refs : mapping of str to str
        Image reference in the cluster by the one that manifests have ("vitrine:v1").
    progress : Progress
        Told each step.
    live : Live
        The chart that follows.
    draw : callable, optional
        Recording → figure, for `live`.

    Attributes
    ----------
    cluster, progress
        As above.
    runs : list of Run
        Those that are over.
    crowd : Crowd, optional
        Meets those that play at the same time; see `together`.
    """

    def __init__(
        self,
        experiment: str,
        cluster: Cluster,
        folder: Path,
        refs: Mapping[str, str],
        progress: Progress,
        live: Live,
        draw: Callable[[Recording], DescribedFigure] | None,
    ) -> None:
        self.cluster = cluster
        self.progress = progress
        self.runs: list[Run] = []
        self.crowd: Crowd | None = None
        self.folder = folder
        self.refs = refs
        self._experiment = experiment
        self._live = live
        self._draw = draw

    def recording(self, *going_on: Run) -> Recording:
        """Return what there is so far."""
        provider, version = self.cluster.provider.kind, self.cluster.kubernetes_version
        return Recording(self._experiment, provider, version, (*self.runs, *going_on))

    def follow(self, going_on: Callable[[], Sequence[Run]]) -> None:
        """Draw what there is so far, and the runs that go on."""
        if self.crowd is not None:
            self.crowd.follow(going_on)
        else:
            self.draw_now(going_on)

    def draw_now(self, going_on: Callable[[], Sequence[Run]]) -> None:
        """Draw as `follow` does, from the main thread."""
        draw = self._draw
        if draw is not None:
            self._live.show(lambda: draw(self.recording(*going_on())))

    def breathe(self) -> None:
        """End the run that waits where another one of its crowd has failed."""
        if self.crowd is not None:
            self.crowd.breathe()

    def join(self, run: Run) -> None:
        """Note that a run is over."""
        if self.crowd is not None:
            self.crowd.join(self.runs, run)
        else:
            self.runs.append(run)

    def _tell(self, text: str, share: float | None) -> None:
        if self.crowd is not None:
            self.crowd.told.append(text)
        else:
            self.progress.step(text, share)

    @contextmanager
    def play(
        self, name: str, title: str, share: float | None = None, **parameters: Any
    ) -> Iterator[Play]:
        """Open a namespace of a run's own; it goes whatever happens.

        Parameters
        ----------
        name : str
            The run's; the namespace is called after it.
        title : str
            In French, before each step that is told.
        share : float, optional
            How much of the experiment is done when it begins, 0 to 1.
        **parameters
            What the run is made with.
        """

        def step(text: str) -> None:
            self._tell(f"{title} : {text}", share)

        own = self.cluster.namespace(f"{name}-{secrets.token_hex(2)}")
        with self.cluster.api.patient(), own as namespace:
            try:
                yield Play(self, namespace, step, name, parameters)
            finally:
                step("rangement")


@contextmanager
def opened(
    experiment: str,
    folder: str,
    cluster: Cluster | None,
    progress: Progress | None,
    *,
    versions: Sequence[str] = ("v1",),
    draw: Callable[[Recording], DescribedFigure] | None = None,
) -> Iterator[Show]:
    """Prepare an experiment: build its images, open its progress and its live chart.

    Parameters
    ----------
    experiment : str
        Its function's name.
    folder : str
        Of its manifests, below `notebooks/manifests`.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Otherwise what fits here.
    versions : sequence of str
        Of the app "vitrine", that it needs.
    draw : callable, optional
        Draws the chart that follows the measure.
    """
    cluster = cluster or current_cluster()
    with reporting(progress) as told, Live() as live, cluster.api.patient():
        refs = {}
        if versions:
            told.step("Préparation des images de la vitrine")
            refs = {f"{APP}:{one}": images.ensure(cluster, APP, one, told) for one in versions}
        yield Show(experiment, cluster, MANIFESTS / folder, refs, told, live, draw)


class Play(Stage):
    """One run on its stage.

    Parameters
    ----------
    show : Show
        The experiment.
    namespace, step, parameters
        See `Stage`.
    name : str
        The run's.

    Attributes
    ----------
    asked : set of str
        Components of the cluster that the run itself stops: no incidents of theirs are noted.
    """

    def __init__(
        self,
        show: Show,
        namespace: Namespace,
        step: Callable[[str], None],
        name: str,
        parameters: Mapping[str, Any],
    ) -> None:
        super().__init__(namespace, step, parameters)
        self.name = name
        self.asked: set[str] = set()
        self._show = show
        self._draw = show.breathe

    def apply(self, manifest: str, change: Change | None = None) -> list[dict[str, Any]]:
        """Apply one of the course's manifests with the images of this cluster, its objects fitted by `change`."""
        return self.namespace.apply(self.read(manifest, change))

    def read(self, manifest: str, change: Change | None = None) -> list[dict[str, Any]]:
        """Return the objects of one of the course's manifests, as `apply` applies them."""
        found = manifests.read(self._show.folder / manifest)
        return [fit(one.object, self._show.refs, change) for one in found]

    def deploy(self, *files: str, change: Change | None = None) -> None:
        """Apply manifests, then wait until their Deployments are wholly rolled out."""
        self.step("déploiement")
        applied = [one for file in files for one in self.apply(file, change)]
        for one in applied:
            if one["kind"] == "Deployment":
                self.wait_rollout(one["metadata"]["name"])

    def ref(self, version: str) -> str:
        """Return the reference of the app's image of a version."""
        return self._show.refs[f"{APP}:{version}"]

    def wait_pods(
        self, count: int, selector: str = f"app={APP}", timeout_s: float = ROLLOUT_TIMEOUT_S
    ) -> None:
        """Wait until exactly that many pods carry the labels and all are ready; those that end are not counted.

        Unlike a Deployment's status this is true where the controllers sleep.

        Raises
        ------
        WaitTimeoutError
            It does not come to that.
        """

        def wait() -> None:
            end_s = time.monotonic() + timeout_s
            while not (len(found := self.pods(selector)) == count and all(map(ready, found))):
                if time.monotonic() > end_s:
                    names = ", ".join(one["metadata"]["name"] for one in found if not ready(one))
                    raise WaitTimeoutError(
                        f"Attendre {count} pods prêts dans « {self.namespace.name} »",
                        f"il y en a {len(found)} ; pas prêts : {names or 'aucun'}",
                        "Regardez « kubectl get pods,events », puis relancez la mesure.",
                    )
                time.sleep(_POLL_S)

        self.in_background(wait)

    def pods(self, selector: str = f"app={APP}") -> list[dict[str, Any]]:
        """Return the pods that carry labels, oldest first, without those that are told to end."""
        alive = (
            one
            for one in self.namespace.list("pods", selector)
            if "deletionTimestamp" not in one["metadata"]
        )
        return sorted(
            alive, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"])
        )

    @contextmanager
    def recorded(
        self,
        service: str | None = None,
        rate_per_s: float = 0.0,
        *,
        path: str = "",
        keep_alive: bool = False,
        events: bool = False,
        sample: Callable[[], Iterable[Reading]] | None = None,
        sample_period_s: float = 1.0,
    ) -> Iterator[Recorder]:
        """Record what happens meanwhile, under traffic on a Service where one is named; the run joins the others.

        Requests ask for `path`, without its first slash.
        What the run's acts add to `parameters` is part of it.
        """
        with ExitStack() as measuring:
            traffic: Traffic | None = None
            if service is not None:
                self.step("attente des réponses")
                self.parameters["rate_per_s"] = rate_per_s
                found = self.ready_address(service)
                address = replace(found, url=f"{found.url.rstrip('/')}/{path}") if path else found
                traffic = measuring.enter_context(
                    Traffic(address, rate_per_s=rate_per_s, keep_alive=keep_alive)
                )
            recorder = measuring.enter_context(
                Recorder(
                    self._show.cluster,
                    self.namespace,
                    self.name,
                    zero_monotonic_s=traffic.zero_monotonic_s if traffic else None,
                    events=events,
                    sample=sample,
                    sample_period_s=sample_period_s,
                )
            )

            def run() -> Run:
                seen = recorder.run(traffic.requests if traffic else ())
                incidents = tuple(one for one in seen.incidents if one.component not in self.asked)
                return replace(seen, parameters=dict(self.parameters), incidents=incidents)

            self.record(recorder, traffic, lambda: self._show.follow(lambda: (run(),)))
            yield recorder
            measuring.close()
            self._show.join(run())


def fit(
    plain: Mapping[str, Any], refs: Mapping[str, str], change: Change | None = None
) -> dict[str, Any]:
    """Return an object with the images of a cluster in the place of those that its manifest names, then changed."""
    fitted: dict[str, Any] = copy.deepcopy(dict(plain))
    pod = fitted if fitted["kind"] == "Pod" else fitted.get("spec", {}).get("template", {})
    for container in pod.get("spec", {}).get("containers", ()):
        container["image"] = refs.get(container["image"], container["image"])
    if change is not None:
        change(fitted)
    return fitted


def with_replicas(replicas: int) -> Change:
    """Return what gives Deployments that many replicas."""

    def change(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment":
            plain["spec"]["replicas"] = replicas

    return change
