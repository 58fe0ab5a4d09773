"""What a lab is: a folder of `labs`, its parts, and what each provider cannot show of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .. import _paths, _progress
from .._errors import LabError, PlatformError
from ..analysis.story import Story
from ..measure.recording import Recording

if TYPE_CHECKING:
    from .._progress import Progress
    from ..cluster import Cluster
    from ..draw.figure import DescribedFigure
    from ..draw.table import Table
    from ..measure.measure import Listener, Measure
    from ..providers.base import ProviderName
    from ..providers.rights import Right

MANIFESTS = _paths.COURSE / "notebooks" / "manifests"

# Why durations differ between kind and the embedded cluster: what several labs say of theirs.
SLOWER_STARTS = (
    "démarrer un conteneur prend une à deux secondes sur kind (sandbox, cgroups, runc), quelques dizaines de "
    "millisecondes sur le cluster embarqué"
)

OVERSLEPT_WAITS = (
    "après une mort, le kubelet ne se réveille pas à la fin exacte de l’attente mais jusqu’à moitié plus tard, au "
    "hasard, sur les deux clusters : d’une mesure à l’autre, les attentes diffèrent"
)

LEASE = (
    "sur kind, le kubelet doit relancer un conteneur, et kube-controller-manager attendre que le bail (Lease) de son "
    "prédécesseur expire, quinze secondes ; le cluster embarqué relance un processus et se passe d’élection"
)

SLOWER_ENDS = (
    "une fois le délai de grâce écoulé, kind met une à deux secondes de plus à tuer et à ranger les conteneurs ; le "
    "cluster embarqué, quelques dizaines de millisecondes"
)

SLOWER_REPLACEMENTS = (
    "ranger l’ancien conteneur puis démarrer le nouveau prend deux à trois secondes de plus sur kind (sandbox, "
    "cgroups, runc) que sur le cluster embarqué"
)

Part = Literal["experiment", "summary", "chart", "words"]
"""The modules that the registry knows; `forecast`, `recordings/` and others are a lab's own affair."""

_ENTRIES: Mapping[Part, tuple[str, ...]] = {
    "experiment": ("measure",),
    "summary": ("to_json", "to_story"),
    "chart": ("draw",),
    "words": ("WORDS",),
}


@dataclass(frozen=True)
class Limit:
    """What a provider cannot show.

    Attributes
    ----------
    provider : ProviderName
        Which one.
    reason : str
        One French sentence.
    instead : tuple of ProviderName
        The providers that can; the kept recording where there is none.
    """

    provider: ProviderName
    reason: str
    instead: tuple[ProviderName, ...] = ()


@dataclass(frozen=True)
class Explained:
    """A duration that differs between kind and the embedded cluster for a known reason.

    Attributes
    ----------
    words : str
        What lasts that long, in French: "rolling-naive : durée".
    reason : str
        Why it differs, in French.
    """

    words: str
    reason: str


@dataclass(frozen=True)
class Lab:
    """One lab of the course, as its module `lab` declares it.

    Attributes
    ----------
    name : str
        Its folder's, and that of its recordings.
    title : str
        What is measured, as a French noun phrase with capital ("Arrêter un composant du plan de contrôle").
    folder : str
        Of its manifests, below `notebooks/manifests`.
    limits : tuple of Limit
        Where it cannot be shown.
    rights : tuple of Right
        What it needs beyond what every student may do in their namespaces.
    explained : mapping of str to Explained
        Durations of its story that differ between kind and the embedded cluster, by their code.
    parts : tuple of Part
        The modules that its folder must have.
    """

    parts: ClassVar[tuple[Part, ...]] = ("experiment", "summary", "chart")

    name: str
    title: str
    folder: str = ""
    limits: tuple[Limit, ...] = ()
    rights: tuple[Right, ...] = ()
    explained: Mapping[str, Explained] = field(default_factory=dict)

    def check(self) -> None:
        """Raise `LabError` where the folder lacks a part; nothing is imported."""
        for name in self.parts:
            self._module_name(name)

    def part(self, name: Part) -> ModuleType:
        """Import one of the lab's modules.

        Raises
        ------
        LabError
            The folder lacks it, or the module lacks what every lab's has.
        """
        module = import_module(self._module_name(name))
        missing = [entry for entry in _ENTRIES[name] if not hasattr(module, entry)]
        if missing:
            raise self._lacks(
                f"son module « {name}.py » ne définit pas {', '.join(missing)}",
                "Ajoutez cette fonction (docs/architecture.md en donne la signature).",
            )
        return module

    def _module_name(self, name: Part) -> str:
        full = f"{__package__}.{self.name}.{name}"
        if find_spec(full) is None:
            raise self._lacks(
                f"son dossier n’a pas de module « {name}.py »",
                f"Ajoutez-le : il doit définir {', '.join(_ENTRIES[name])} (docs/architecture.md).",
            )
        return full

    def _lacks(self, found: str, advice: str) -> LabError:
        return LabError(f"Ouvrir l’expérience « {self.name} »", found, advice)

    def require(self, cluster: Cluster) -> None:
        """Go on where the cluster's provider can show the lab, and we may do what it does.

        Raises
        ------
        PlatformError
            It cannot: says why, and which provider can.
        ApiRefusedError
            Rights are missing, which are named.
        """
        for limit in self.limits:
            if limit.provider == cluster.provider.kind:
                others = " ou ".join(f"« {name} »" for name in limit.instead)
                kept = next(iter(self.recordings()), "kind")
                raise PlatformError(
                    f"{self.title}, sur un cluster « {limit.provider} »",
                    limit.reason,
                    f'Refaites l’expérience sur un cluster {others} : connect(provider="{limit.instead[0]}").'
                    if limit.instead
                    else f'Regardez la mesure gardée : labs.draw(labs.kept("{self.name}", "{kept}")).',
                )
        if self.rights:
            cluster.require_rights(self.title, *self.rights)

    @contextmanager
    def open(
        self,
        cluster: Cluster | None,
        progress: Progress | None,
        *,
        app: str = "vitrine",
        versions: tuple[str, ...] = ("v1",),
        live: bool = True,
    ) -> Iterator[Measure]:
        """Begin a measure: build its images, open its progress and the live chart that listens to it.

        Parameters
        ----------
        cluster : Cluster, optional
            Otherwise the one that `connect` returned.
        progress : Progress, optional
            Otherwise what fits here (notebook, terminal, log).
        app : str
            The course's program that it needs: a folder of `apps`.
        versions : tuple of str
            Of that program; none where it needs no image.
        live : bool
            Whether a chart follows the measure.
        """
        from ..builds import images
        from ..cluster import current_cluster
        from ..measure.measure import Measure

        cluster = cluster or current_cluster()
        self.require(cluster)
        with (
            _progress.reporting(progress) as reporter,
            self._listener(live) as listening,
            cluster.api.patient(),
        ):
            references = {}
            if versions:
                reporter.step(f"Préparation des images de « {app} »")
                references = {
                    f"{app}:{version}": images.ensure(cluster, app, version, reporter)
                    for version in versions
                }
            yield Measure(
                self.name, cluster, MANIFESTS / self.folder, references, reporter, listening
            )

    def _listener(self, live: bool) -> AbstractContextManager[Listener | None]:
        """Give the chart that follows a measure; what draws it is imported only where somebody looks."""
        if not (live and _progress.charts_follow()):
            return nullcontext()
        from .live import listener

        return listener(self)

    def measure(self, **options: Any) -> Recording:
        """Measure; see the lab's `experiment.measure`."""
        recording: Recording = self.part("experiment").measure(**options)
        return recording

    def draw(self, recording: Recording, **options: Any) -> DescribedFigure:
        """Return the figure of a recording; see the lab's `chart.draw`."""
        figure: DescribedFigure = self.part("chart").draw(recording, **options)
        return figure

    def tabulate(self, recording: Recording) -> Table | None:
        """Return the table of a recording; None for a lab whose numbers are all in its figure."""
        make = getattr(self.part("chart"), "tabulate", None)
        table: Table | None = None if make is None else make(recording)
        return table

    def to_json(self, recording: Recording) -> dict[str, Any]:
        """Return what `k8s-lab measure` writes as `summary.json`."""
        head = {"provider": recording.provider, "kubernetes_version": recording.kubernetes_version}
        return {**head, **self.numbers(recording)}

    def numbers(self, recording: Recording) -> dict[str, Any]:
        """Return the lab's own part of it; see the lab's `summary.to_json`."""
        numbers: dict[str, Any] = self.part("summary").to_json(recording)
        return numbers

    def to_story(self, recording: Recording) -> Story:
        """Return what a recording says that must be so wherever it is measured."""
        story: Story = self.part("summary").to_story(recording)
        return story

    def recordings(self) -> dict[str, Path]:
        """Return the files of the kept measures by provider."""
        folder = _paths.PACKAGE / "labs" / self.name / "recordings"
        return {path.stem: path for path in sorted(folder.glob("*.json"))}

    def kept(self, provider: str) -> Recording:
        """Return the kept measure on a provider; raises `LabError` where there is none."""
        files = self.recordings()
        if provider not in files:
            raise LabError(
                f"Lire la mesure gardée de « {self.name} » sur « {provider} »",
                f"il n’y en a pas ; il y a : {', '.join(files) or 'aucune'}",
                f"Choisissez l’un de ces clusters, ou mesurez : k8s-lab measure {self.name} --out out.",
            )
        return Recording.load(files[provider])
