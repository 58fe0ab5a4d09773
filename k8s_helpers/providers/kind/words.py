"""What the `kind` command says, in French: its steps while it works, its failures. Pure."""

from __future__ import annotations

import re

from ..._errors import EngineError, K8sHelpersError, ResourceError

_STEPS = (
    ("Ensuring node image", "Image du nœud (téléchargée la première fois : environ 1 Go)", 0.05),
    ("Preparing nodes", "Création du conteneur qui sert de nœud", 0.15),
    ("Writing configuration", "Écriture de la configuration", 0.3),
    ("Starting control-plane", "Démarrage du plan de contrôle", 0.35),
    ("Installing CNI", "Réseau des pods", 0.75),
    ("Installing StorageClass", "Stockage", 0.8),
    ("Waiting", "Attente du nœud", 0.85),
    ("Ready after", "Nœud prêt", 0.95),
)

_OR_EMBEDDED = "ou prenez le cluster embarqué : K8S_HELPERS_PROVIDER=embedded."

PORT_TAKEN = re.compile(
    r"port is already allocated|address already in use|ports are not available", re.IGNORECASE
)
"""Someone took a port between our look and the engine's."""


def step(line: str) -> tuple[str, float] | None:
    """Return the French name of the step that a line of kind announces, and the share of the work that is done."""
    return next(((text, share) for mark, text, share in _STEPS if mark in line), None)


def version(line: str) -> tuple[int, int] | None:
    """Return major and minor version from what `kind version` prints."""
    match = re.search(r"v(\d+)\.(\d+)\.", line)
    return (int(match[1]), int(match[2])) if match else None


def failure(name: str, output: str) -> K8sHelpersError:
    """Return the error for a `kind create cluster` that failed.

    Parameters
    ----------
    name : str
        The cluster's name.
    output : str
        The last lines that kind wrote.
    """
    tried = f"Créer le cluster kind « {name} »"
    low = output.lower()
    if PORT_TAKEN.search(output):
        return ResourceError(
            tried,
            f"un port de cette machine est pris ({_line_with(output, 'port', 'address')})",
            "Arrêtez le programme qui l’utilise (« ss -ltnp » le montre), puis recommencez.",
        )
    if "no space left" in low:
        return ResourceError(
            tried, "le disque est plein", f"Libérez 3 Go (« docker system prune »), {_OR_EMBEDDED}"
        )
    if "already exist for a cluster" in low:
        return taken(name)
    if (
        "failed to pull" in low
        or "no such host" in low
        or "manifest unknown" in low
        or "pull access denied" in low
    ):
        return EngineError(
            tried,
            f"l’image du nœud n’a pas pu être téléchargée ({_line_with(output, 'pull', 'host', 'manifest')})",
            "Vérifiez la connexion à internet. Sans elle : « k8s-lab bundle load », ou une image locale nommée par "
            f"K8S_HELPERS_KIND_NODE_IMAGE, {_OR_EMBEDDED}",
        )
    if "too many open files" in low:
        return ResourceError(
            tried,
            "le système a atteint sa limite de surveillances de fichiers (inotify)",
            "« sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288 », puis recommencez.",
        )
    if "cgroup" in low and ("delegat" in low or "rootless" in low):
        return EngineError(
            tried,
            "le moteur sans root n’a pas la délégation des cgroups",
            f"Suivez https://kind.sigs.k8s.io/docs/user/rootless, {_OR_EMBEDDED}",
        )
    return EngineError(
        tried,
        f"kind a échoué : {output.strip() or 'sans rien dire'}",
        "Il faut environ 2 Go de mémoire et 3 Go de disque libres ; « k8s-lab doctor » les mesure. "
        f"Recommencez, {_OR_EMBEDDED}",
    )


def taken(name: str) -> EngineError:
    """Return the error for a name that a cluster of someone else has."""
    return EngineError(
        f"Créer le cluster kind « {name} »",
        "un cluster kind de ce nom existe déjà, et ce n’est pas le cours qui l’a créé ici",
        "Prenez un autre nom (option --name, ou connect(name=…)) ; s’il ne sert plus : "
        f"« kind delete cluster --name {name} ».",
    )


def missing() -> EngineError:
    """Return the error for a machine without the `kind` command."""
    return EngineError(
        "Trouver la commande kind",
        "elle n’est pas sur cette machine (PATH)",
        "Installez-la : « go install sigs.k8s.io/kind@latest », « brew install kind », ou le programme de "
        f"https://kind.sigs.k8s.io/docs/user/quick-start/#installation, {_OR_EMBEDDED}",
    )


def too_old(version_line: str, oldest: tuple[int, int]) -> EngineError:
    """Return the error for a `kind` command that cannot do what the course needs."""
    return EngineError(
        "Utiliser la commande kind",
        f"elle est trop ancienne ({version_line.strip()})",
        f"Il faut la version {oldest[0]}.{oldest[1]} ou une plus récente : « go install sigs.k8s.io/kind@latest », "
        "« brew upgrade kind ».",
    )


def _line_with(output: str, *words: str) -> str:
    lines = [
        line.strip() for line in output.splitlines() if any(word in line.lower() for word in words)
    ]
    return lines[-1][-300:] if lines else output.strip()[-300:]
