"""What is wrong with the embedded clusters that run on this machine now: for `k8s-lab doctor`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from .. import _paths
from .check import Check

RECENT_S = 600.0
"""How long an incident is still worth a word."""


def check_clusters() -> Check:
    """Look at every embedded cluster of this user."""
    from ..providers.embedded import EmbeddedProvider

    since_wall_s = time.time() - RECENT_S
    folder = _paths.state_dir() / "clusters" / "embedded"
    names = sorted(one.parent.name for one in folder.glob("*/cluster.json"))
    providers = [EmbeddedProvider(name) for name in names]
    running = [one for one in providers if one.status().state == "running"]
    return judge_clusters({one.name: one.troubles(since_wall_s) for one in running})


def judge_clusters(troubles: Mapping[str, Sequence[str]]) -> Check:
    """Conclude from what is wrong with each running cluster, by its name."""
    subject = "Clusters embarqués en marche"
    if not troubles:
        return Check(subject, "ok", "aucun")
    bad = {name: words for name, words in troubles.items() if words}
    if not bad:
        return Check(subject, "ok", ", ".join(troubles))
    found = " ; ".join(f"« {name} » : {' ; '.join(words)}" for name, words in bad.items())
    name = next(iter(bad))
    return Check(
        subject,
        "limited",
        found,
        "Le superviseur relance ce qui s’arrête ou se bloque. Si cela se répète, repartez d’un cluster neuf "
        f"(ses objets seront perdus) : « k8s-lab down --name {name} », puis « k8s-lab up --name {name} ».",
    )
