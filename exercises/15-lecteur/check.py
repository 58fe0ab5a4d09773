"""Gives the account the student's rights, and tries with it what must be allowed, then what must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8s_helpers.exercises.controls import (
    MERGE_PATCH,
    ApiSession,
    ApiStatusError,
    Bench,
    Finding,
    container_runs,
)

FORBIDDEN = 403


def check(bench: Bench) -> Finding:
    """Return what the account can and cannot do."""
    bench.apply(bench.given("donnees.yaml"))
    bench.namespace.wait("pod", "vitrine", container_runs, bench.remaining_s)
    bench.apply(bench.answer["manifeste"])
    bench.wait_rights()
    bench.progress.step("Essais avec le compte « lecteur »")
    account = bench.account("lecteur")
    pods, log = bench.namespace.path("pod"), f"{bench.namespace.path('pod', 'vitrine')}/log"
    can_read, can_list = (
        _allowed(lambda: account.text(log)),
        _allowed(lambda: account.request("GET", pods)),
    )
    if not (can_read or can_list):
        return Finding("rien", "le compte ne peut ni lister les pods, ni lire un journal.")
    if not can_read:
        return Finding(
            "journal",
            "le compte liste les pods, mais la lecture d’un journal lui est refusée (pods/log).",
        )
    if not can_list:
        return Finding("liste", "le compte lit un journal, mais il ne peut pas lister les pods.")
    if more := _beyond(bench, account):
        return Finding("trop", f"le compte lit les journaux, mais il peut aussi {', '.join(more)}.")
    return Finding(None, "le compte liste les pods, lit leurs journaux, et rien d’autre.")


def _allowed(act: Callable[[], Any]) -> bool:
    try:
        act()
    except ApiStatusError as error:
        if error.code != FORBIDDEN:
            raise
        return False
    return True


def _beyond(bench: Bench, account: ApiSession) -> list[str]:
    """Return what the account can do that it must not; nothing is really done."""
    place, dry = bench.namespace, {"dryRun": "All"}
    (pod,) = (item for item in bench.given("donnees.yaml") if item["kind"] == "Pod")
    tries = {
        "supprimer un pod": lambda: account.request(
            "DELETE", place.path("pod", "vitrine"), query=dry
        ),
        "créer un pod": lambda: account.request(
            "POST", place.path("pod"), query=dry, body={**pod, "metadata": {"name": "intrus"}}
        ),
        "modifier un pod": lambda: account.request(
            "PATCH",
            place.path("pod", "vitrine"),
            query=dry,
            body={"metadata": {"labels": {"essai": "1"}}},
            content_type=MERGE_PATCH,
        ),
        "lire un Secret": lambda: account.request("GET", place.path("secret", "cle")),
        "lister les Secrets, valeurs comprises": lambda: account.request(
            "GET", place.path("secret")
        ),
    }
    return [what for what, act in tries.items() if _allowed(act)]
