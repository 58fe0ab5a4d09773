"""Asks the API what the account may do: what it should, and what it should not."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding

BEYOND = (("list", "secrets"), ("get", "secrets"))


def check(bench: Bench) -> Finding:
    """Return what the account lacks, or has too much of."""
    account, resource = bench.values["compte"], bench.values["ressource"]
    if account not in [item["metadata"]["name"] for item in bench.namespace.list("serviceaccount")]:
        return Finding("compte", f"il n’y a pas de ServiceAccount « {account} ».")
    bench.wait_rights()
    lacking = [verb for verb in ("get", "list") if not bench.may(account, verb, resource)]
    if lacking:
        return Finding("refus", f"« {account} » ne peut pas : {', '.join(lacking)} {resource}.")
    changes = tuple((verb, resource) for verb in ("create", "update", "patch", "delete"))
    beyond = [
        f"{verb} {kind}" for verb, kind in (*BEYOND, *changes) if bench.may(account, verb, kind)
    ]
    if beyond:
        return Finding("trop", f"« {account} » peut aussi : {', '.join(beyond)}.")
    return Finding(None, f"« {account} » lit les {resource}, et rien d’autre.")
