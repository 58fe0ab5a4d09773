"""What a HorizontalPodAutoscaler decides, with its figures: formula, tolerance, bounds, windows, `behavior`. Pure.

Source: `pkg/controller/podautoscaler/{replica_calculator,horizontal}.go` of Kubernetes,
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._autoscaler import DOWN_WINDOW_S
from .._errors import UsageError
from .._french import number, seconds, typeset

TOLERANCE = 0.1
"""`--horizontal-pod-autoscaler-tolerance`."""
ROUNDING = 1e-9
"""Binary fractions: 1.1 − 1 exceeds 0.1 by less than this."""


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `value` pods, or that percentage of them, within `period_s` seconds."""

    kind: Literal["Pods", "Percent"]
    value: int
    period_s: float


@dataclass(frozen=True, slots=True)
class Rules:
    """One direction of `behavior`: how fast it may go, and how long it thinks before."""

    policies: tuple[Policy, ...]
    window_s: float
    select: Literal["Max", "Min", "Disabled"] = "Max"


DEFAULT_UP = Rules((Policy("Pods", 4, 15.0), Policy("Percent", 100, 15.0)), 0.0)
DEFAULT_DOWN = Rules((Policy("Percent", 100, 15.0),), DOWN_WINDOW_S)


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """The specification of a HorizontalPodAutoscaler on CPU.

    Attributes
    ----------
    target_percent : int
        `averageUtilization`: percentage of the pods' CPU requests.
    min_replicas, max_replicas : int
        Bounds.
    up, down : Rules
        `behavior`.
    tolerance : float
        Share of the target by which the measure may be off before anything events.
    """

    target_percent: int
    min_replicas: int
    max_replicas: int
    up: Rules = DEFAULT_UP
    down: Rules = DEFAULT_DOWN
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if self.target_percent >= 1 and 1 <= self.min_replicas <= self.max_replicas:
            return
        raise UsageError(
            "Prévoir un autoscaler",
            f"cible {self.target_percent} %, de {self.min_replicas} à {self.max_replicas} réplicas",
            "Donnez une cible d’au moins 1 % (elle divise la mesure : zéro n’a pas de sens), au moins 1 réplica, et un "
            "maximum qui n’est pas sous le minimum.",
        )

    @classmethod
    def of(cls, hpa: Mapping[str, Any]) -> Autoscaler:
        """Read a manifest of `autoscaling/v2` with a CPU target; what it does not say has Kubernetes' defaults."""
        spec = hpa["spec"]
        (metric,) = (
            metric["resource"]
            for metric in spec["metrics"]
            if metric["type"] == "Resource" and metric["resource"]["name"] == "cpu"
        )
        behavior = spec.get("behavior") or {}
        return cls(
            int(metric["target"]["averageUtilization"]),
            int(spec.get("minReplicas", 1)),
            int(spec["maxReplicas"]),
            _rules(behavior.get("scaleUp"), DEFAULT_UP),
            _rules(behavior.get("scaleDown"), DEFAULT_DOWN),
        )


def _rules(plain: Mapping[str, Any] | None, default: Rules) -> Rules:
    if plain is None:
        return default
    policies = tuple(
        Policy(policy["type"], int(policy["value"]), float(policy["periodSeconds"]))
        for policy in plain.get("policies") or ()
    )
    window_s = plain.get("stabilizationWindowSeconds")
    return Rules(
        policies or default.policies,
        default.window_s if window_s is None else float(window_s),
        plain.get("selectPolicy") or "Max",
    )


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """A change of the number of pods that was made: by how many (negative: fewer)."""

    at_s: float
    by: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What the measures asked for at an instant; the stabilisation windows look back at these."""

    at_s: float
    replicas: int


def bounded(replicas: int, scaler: Autoscaler) -> int:
    """Return replicas within minReplicas and maxReplicas."""
    return max(scaler.min_replicas, min(scaler.max_replicas, replicas))


def stabilised(
    scaler: Autoscaler, at_s: float, current: int, asked: int, advice: Sequence[Advice]
) -> int:
    """Go up by the least, down by the most that was asked for within each direction's window."""

    def since(window_s: float) -> list[int]:
        return [asked, *(past.replicas for past in advice if past.at_s > at_s - window_s)]

    least, most = min(since(scaler.up.window_s)), max(since(scaler.down.window_s))
    return min(max(current, least), most)


def limited(
    scaler: Autoscaler, at_s: float, current: int, wanted: int, events: Sequence[ScaleEvent]
) -> int:
    """Return how far towards `wanted` the policies of `behavior` allow to go now."""
    if wanted > current:
        return max(current, min(wanted, _furthest(scaler.up, 1, at_s, current, events)))
    if wanted < current:
        return min(current, max(wanted, _furthest(scaler.down, -1, at_s, current, events)))
    return wanted


def _furthest(
    rules: Rules, sign: int, at_s: float, current: int, events: Sequence[ScaleEvent]
) -> int:
    """Return how far the policies of one direction allow to go: what their periods have used up is taken off."""
    if rules.select == "Disabled":
        return current
    limits = []
    for policy in rules.policies:
        begin = current - sum(event.by for event in events if event.at_s > at_s - policy.period_s)
        share = policy.value if policy.kind == "Pods" else begin * policy.value / 100
        limit = begin + sign * share
        limits.append(math.ceil(limit - ROUNDING) if sign > 0 else math.floor(limit + ROUNDING))
    boldest, shyest = (max, min) if sign > 0 else (min, max)
    return boldest(limits) if rules.select == "Max" else shyest(limits)


# --- what the measures ask for


def desired_replicas(
    current: int, metric: float, target: float, tolerance: float = TOLERANCE
) -> int:
    """Return `⌈current × metric / target⌉`, or `current` where the measure is within the tolerance.

    Parameters
    ----------
    current : int
        Ready pods.
    metric, target : float
        In the same unit: percent of the requests, for CPU.
    tolerance : float
        Share of the target.

    Raises
    ------
    UsageError
        A target of zero or less, which nothing can be divided by.
    """
    if target <= 0:
        raise UsageError(
            f"Calculer ⌈{current} × {number(metric)} / {number(target)}⌉",
            f"la cible est {number(target)} : la formule divise par elle",
            "Donnez une cible positive ; l’API de Kubernetes refuse zéro elle aussi.",
        )
    ratio = metric / target
    if within(ratio, tolerance):
        return current
    return math.ceil(current * ratio - ROUNDING)


def within(ratio: float, tolerance: float = TOLERANCE) -> bool:
    """Return whether measure ÷ target is so near to 1 that nothing events."""
    return abs(ratio - 1.0) <= tolerance + ROUNDING


@dataclass(frozen=True, slots=True)
class PodReading:
    """What the autoscaler knows of one pod.

    Attributes
    ----------
    cpu_cores : float
        What it uses.
    state : str
        "ready"; "unready" (not Ready, or so young that its measure does not count); "missing" (no measure at all).
    """

    cpu_cores: float
    state: Literal["ready", "unready", "missing"] = "ready"


def utilization_percent(cpu_cores: Sequence[float], request_cores: float) -> int:
    """Return the mean use in whole percent of the request, rounded down as upstream's integers do."""
    if request_cores <= 0:
        raise UsageError(
            "Calculer l’utilisation du processeur",
            "les pods ne demandent pas de processeur (resources.requests.cpu)",
            "L’utilisation est un pourcentage de la demande : donnez-en une au conteneur.",
        )
    return math.floor(100 * sum(cpu_cores) / (request_cores * len(cpu_cores)) + ROUNDING)


def proposal(
    pods: Sequence[PodReading], request_cores: float, target_percent: int, tolerance: float
) -> tuple[int, int | None]:
    """Return the replicas that the measures ask for, before bounds and `behavior`, and the utilisation in percent.

    Pods that cannot be measured make the autoscaler careful: it counts them so that it does less than the others
    ask for. On the way up, those not ready or not measured count as idle; on the way down, those not measured count as
    busy at 100 % of their request. Without a single measure nothing events (utilisation None).
    """
    known = [pod.cpu_cores for pod in pods if pod.state == "ready"]
    if not known:
        return len(pods), None
    percent = utilization_percent(known, request_cores)
    ratio = percent / target_percent
    missing = sum(pod.state == "missing" for pod in pods)
    unready = sum(pod.state == "unready" for pod in pods)
    if not missing and not (unready and ratio > 1):
        if within(ratio, tolerance):
            return len(pods), percent
        return math.ceil(ratio * len(known) - ROUNDING), percent
    filled = list(known)
    if ratio < 1:
        filled += [request_cores * max(100, target_percent) / 100] * missing
    elif ratio > 1:
        filled += [0.0] * (missing + unready)
    careful = utilization_percent(filled, request_cores) / target_percent
    if within(careful, tolerance) or (ratio < 1 < careful) or (careful < 1 < ratio):
        return len(pods), percent
    wanted = math.ceil(careful * len(filled) - ROUNDING)
    if (careful < 1 and wanted > len(pods)) or (careful > 1 and wanted < len(pods)):
        return len(pods), percent
    return wanted, percent


@dataclass(frozen=True, slots=True)
class Plateau:
    """Where a constant load leads to.

    Attributes
    ----------
    replicas : int
        How many pods there will be.
    needed : float
        How many pods the load is worth at the target, before rounding: the further from a whole number, the surer.
    reachable : tuple of (int, int)
        Fewest and most pods at which the autoscaler would be content: within the tolerance it keeps what it finds.
    words : str
        The reckoning with its figures, in French.
    """

    replicas: int
    needed: float
    reachable: tuple[int, int]
    words: str


def plateau(
    load_rate_per_s: float,
    cpu_s_per_request: float,
    request_cores: float,
    target_percent: int,
    min_replicas: int = 1,
    max_replicas: int = 10,
) -> Plateau:
    """Predict how many pods a constant load ends with.

    The load takes rate × cost cores, however many pods share it; each pod is to use `target_percent` of its request.

    Parameters
    ----------
    load_rate_per_s : float
        Requests per second.
    cpu_s_per_request : float
        Processor seconds that a request takes.
    request_cores : float
        `resources.requests.cpu` of a pod.
    target_percent : int
        `averageUtilization`.
    min_replicas, max_replicas : int
        Bounds.
    """
    scaler = Autoscaler(target_percent, min_replicas, max_replicas)
    utilization_percent([0.0], request_cores)  # refuses pods without request
    load_cores = load_rate_per_s * cpu_s_per_request
    needed = load_cores / (request_cores * target_percent / 100)
    asked = max(1, math.ceil(needed - ROUNDING))
    replicas = bounded(asked, scaler)
    content = [
        count
        for count in range(min_replicas, max_replicas + 1)
        if desired_replicas(count, needed, count) == count or count == replicas
    ]
    share = request_cores * target_percent / 100
    words = (
        f"{number(load_rate_per_s)} requêtes/s × {number(1000 * cpu_s_per_request)} ms = "
        f"{number(1000 * load_cores, 0)}m de processeur ; chaque pod doit en prendre "
        f"{target_percent} % de {number(1000 * request_cores, 0)}m, soit {number(1000 * share, 0)}m : "
        f"⌈{number(1000 * load_cores, 0)} / {number(1000 * share, 0)}⌉ = {asked}{_bound_words(asked, scaler)}"
    )
    return Plateau(replicas, needed, (min(content), max(content)), typeset(words))


@dataclass(frozen=True, slots=True)
class Decision:
    """One round of the autoscaler.

    Attributes
    ----------
    current : int
        Pods before.
    percent : int or None
        Utilisation measured; None where nothing could be.
    asked : int
        What the measures ask for.
    desired : int
        What is done.
    words : str
        The reckoning with its figures, in French.
    """

    at_s: float
    current: int
    percent: int | None
    asked: int
    desired: int
    words: str


def decide(
    scaler: Autoscaler,
    at_s: float,
    current: int,
    asked: int,
    percent: int | None,
    advice: Sequence[Advice] = (),
    events: Sequence[ScaleEvent] = (),
) -> Decision:
    """Return what is done of what the measures ask for: stabilised, not too fast, within the bounds.

    Parameters
    ----------
    advice : sequence of Advice
        Earlier rounds' `asked`.
    events : sequence of ScaleEvent
        Earlier events of scale.
    """
    words = formula(scaler, current, percent, asked)
    if not scaler.min_replicas <= current <= scaler.max_replicas:
        kept = bounded(current, scaler)
        return Decision(at_s, current, percent, asked, kept, typeset(words))
    stable = stabilised(scaler, at_s, current, asked, advice)
    if stable != asked:
        rules = scaler.up if asked > current else scaler.down
        words += f", retenu à {stable} par la fenêtre de stabilisation de {seconds(rules.window_s)}"
    allowed = limited(scaler, at_s, current, stable, events)
    desired = bounded(allowed, scaler)
    if desired != allowed:
        words += _bound_words(allowed, scaler)
    elif allowed != stable:
        words += f", limité à {allowed} par la vitesse permise (behavior)"
    return Decision(at_s, current, percent, asked, desired, typeset(words))


def explain(scaler: Autoscaler, current: int, percent: int | None, desired: int) -> str:
    """Explain a decision that was observed: its reckoning with its figures, and what held it back.

    Parameters
    ----------
    current, desired : int
        Pods before, and what was decided.
    percent : int or None
        The utilisation that the autoscaler showed.
    """
    if percent is None:
        return formula(scaler, current, None, current)
    asked = desired_replicas(current, percent, scaler.target_percent, scaler.tolerance)
    words = formula(scaler, current, percent, asked)
    if bounded(asked, scaler) == desired:
        return typeset(words + _bound_words(asked, scaler))
    if desired > asked:
        return typeset(words + f", retenu à {desired} par la fenêtre de stabilisation")
    return typeset(words + f", ramené à {desired} : des pods neufs ne comptent pas encore")


def formula(scaler: Autoscaler, current: int, percent: int | None, asked: int) -> str:
    """Write one round's reckoning: "⌈1 × 182 % / 50 %⌉ = 4"; why, where the formula alone gives something else."""
    target = scaler.target_percent
    if percent is None:
        return f"aucune mesure : rien ne change ({current})"
    if within(percent / target, scaler.tolerance) and asked == current:
        gap = round(100 * abs(percent / target - 1))
        limit = round(100 * scaler.tolerance)
        return f"{percent} % pour {target} % : {gap} % d’écart, toléré jusqu’à {limit} %"
    plain = math.ceil(current * percent / target - ROUNDING)
    words = f"⌈{current} × {percent} % / {target} %⌉ = {plain}"
    if plain != asked:
        words += f", ramené à {asked} car des pods ne sont pas encore mesurés"
    return words


def _bound_words(replicas: int, scaler: Autoscaler) -> str:
    if replicas > scaler.max_replicas:
        return f", limité à {scaler.max_replicas} par maxReplicas"
    if replicas < scaler.min_replicas:
        return f", relevé à {scaler.min_replicas} par minReplicas"
    return ""
