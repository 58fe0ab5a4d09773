"""A decision aid: a context in, a reasoned recommendation out. Every rule is visible, every threshold is an opinion.

Slides 6.03 to 6.06 give the rules; the numbers in them are opinions of people who have run such systems, not measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .._errors import UsageError

PAAS, COMPOSE, VM, SERVERLESS, KUBERNETES = (
    "PaaS",
    "Docker Compose",
    "Machine virtuelle",
    "Serverless",
    "Kubernetes",
)

OPTIONS = (PAAS, COMPOSE, VM, SERVERLESS, KUBERNETES)
"""The simplest to operate first: where two come to the same, the simpler one wins."""

KINDS = {
    "prototype": "un prototype, un projet personnel",
    "monolithe": "une application en un seul bloc",
    "services": "plusieurs services",
    "evenements": "du code qui réagit à des événements",
}
"""What one wants to deploy: name and French words."""


@dataclass(frozen=True)
class Thresholds:
    """Opinions.

    Attributes
    ----------
    many_services : int
        From how many services on an orchestrator pays ("plus d’une dizaine", slide 6.03).
    small_team : int
        Up to how many developers a team is small (slide 6.04 gives no number: this one is ours).
    critical_percent : float
        From which availability on a failure is critical (slide 6.06 finds 99 % often enough).
    """

    many_services: int = 10
    small_team: int = 5
    critical_percent: float = 99.9


@dataclass(frozen=True)
class Context:
    """Whose choice it is.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    services, developers : int
        How many there are.
    peaks : bool
        The load has strong peaks.
    availability_percent : float
        What users need.
    several_providers : bool
        It must be able to move from one cloud provider to another.
    skilled : bool
        Somebody in the team can run Kubernetes and has time for it.
    """

    kind: str = "services"
    services: int = 3
    developers: int = 4
    peaks: bool = False
    availability_percent: float = 99.0
    several_providers: bool = False
    skilled: bool = False


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    condition : str
        In French; with the threshold that it was judged by.
    applies : bool
        In this context.
    points : dict of str to int
        What it gives or takes, by option.
    reason : str
        Why, in French.
    slide : str
        Where the course says so.
    """

    condition: str
    applies: bool
    points: dict[str, int]
    reason: str
    slide: str


@dataclass(frozen=True)
class Recommendation:
    """What the rules come to.

    Attributes
    ----------
    option : str
        The best one of `OPTIONS`.
    scores : dict of str to int
        Of each option.
    rules : tuple of Rule
        All of them, those that do not apply too.
    """

    option: str
    scores: dict[str, int]
    rules: tuple[Rule, ...] = field(repr=False)

    @property
    def tied(self) -> tuple[str, ...]:
        """Other options that came to the same score."""
        best = self.scores[self.option]
        return tuple(name for name in OPTIONS if self.scores[name] == best and name != self.option)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this option, in French, strongest first."""
        mine = [rule for rule in self.rules if rule.applies and rule.points.get(self.option, 0) > 0]
        return tuple(
            rule.reason for rule in sorted(mine, key=lambda rule: -rule.points[self.option])
        )


def recommend(context: Context, thresholds: Thresholds | None = None) -> Recommendation:
    """Add up the rules that apply to a context.

    Raises
    ------
    UsageError
        An unknown kind of project, or numbers that make no sense.
    """
    if (
        context.kind not in KINDS
        or context.services < 1
        or context.developers < 1
        or not 0 <= context.availability_percent <= 100
    ):
        raise UsageError(
            "Choisir où déployer",
            f"le contexte reçu est {context}",
            f"kind vaut {', '.join(KINDS)} ; il faut au moins un service et une personne.",
        )
    rules = tuple(make(context, thresholds or Thresholds()) for make in _RULES)
    scores = {
        option: sum(rule.points.get(option, 0) for rule in rules if rule.applies)
        for option in OPTIONS
    }
    return Recommendation(max(OPTIONS, key=lambda option: scores[option]), scores, rules)


def _prototype(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        "c’est un prototype ou un projet personnel",
        context.kind == "prototype",
        {PAAS: 3, COMPOSE: 1, KUBERNETES: -3},
        "un « git push » suffit, et personne n’administre rien",
        "6.04",
    )


def _monolith(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        "c’est une application en un seul bloc",
        context.kind == "monolithe",
        {VM: 3, PAAS: 1, KUBERNETES: -2},
        "un seul programme à relancer : systemd et une chaîne de livraison le font très bien",
        "6.04",
    )


def _events(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        "c’est du code qui réagit à des événements",
        context.kind == "evenements",
        {SERVERLESS: 4, KUBERNETES: -1},
        "on paie à l’usage, et rien ne tourne entre deux événements",
        "6.04",
    )


def _several(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        f"il y a plusieurs services, mais moins de {limits.many_services}",
        context.kind == "services" and context.services < limits.many_services,
        {COMPOSE: 2, PAAS: 1, KUBERNETES: -1},
        "quelques services tiennent dans un fichier Compose que tout le monde sait lire",
        "6.03",
    )


def _many(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        f"il y a au moins {limits.many_services} services",
        context.services >= limits.many_services,
        {KUBERNETES: 3, COMPOSE: -2, VM: -2},
        "à cette échelle, placer, relier et mettre à jour à la main ne tient plus",
        "6.03",
    )


def _small_team(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        f"l’équipe a au plus {limits.small_team} personnes",
        context.developers <= limits.small_team,
        {COMPOSE: 1, PAAS: 1, KUBERNETES: -1},
        "une petite équipe a mieux à faire qu’administrer une plateforme",
        "6.04",
    )


def _peaks(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        "la charge a des pics importants",
        context.peaks,
        {KUBERNETES: 2, SERVERLESS: 2, PAAS: 1, COMPOSE: -1, VM: -1},
        "le nombre d’exemplaires suit la charge tout seul",
        "6.03",
    )


def _critical(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        f"il faut au moins {limits.critical_percent:g} % de disponibilité".replace(".", ","),
        context.availability_percent >= limits.critical_percent,
        {KUBERNETES: 2, PAAS: 1, COMPOSE: -2, VM: -1},
        "les pods sont remplacés et mis à jour sans interruption",
        "6.03",
    )


def _portable(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        "il faut pouvoir changer de fournisseur",
        context.several_providers,
        {KUBERNETES: 2, COMPOSE: 1, VM: 1, PAAS: -2, SERVERLESS: -2},
        "les mêmes manifestes s’appliquent partout",
        "6.03",
    )


def _unskilled(context: Context, limits: Thresholds) -> Rule:
    return Rule(
        "personne dans l’équipe n’a le temps et la pratique de Kubernetes",
        not context.skilled,
        {KUBERNETES: -3},
        "sans ressources pour le maintenir, un cluster devient le problème",
        "6.03",
    )


_RULES: tuple[Callable[[Context, Thresholds], Rule], ...] = (
    _prototype,
    _monolith,
    _events,
    _several,
    _many,
    _small_team,
    _peaks,
    _critical,
    _portable,
    _unskilled,
)
