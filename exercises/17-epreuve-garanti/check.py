"""Reads the class that the API server gave the pod, and what the pod may use."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, containers, parse_quantity


def check(bench: Bench) -> Finding:
    """Return what is not as the statement says first."""
    name = bench.values["nom"]
    pods = {item["metadata"]["name"]: item for item in bench.namespace.list("pod")}
    if name not in pods:
        return Finding("absent", f"il n’y a pas de pod « {name} ».")
    given = pods[name]["status"].get("qosClass")
    if given != "Guaranteed":
        return Finding("classe", f"le pod est de classe {given}.")
    limits = containers({**pods[name], "kind": "Pod"})[0]["resources"]["limits"]
    wanted = {"memory": bench.values["memoire"], "cpu": bench.values["processeur"]}
    wrong = [
        f"{resource} : {limits[resource]}, pas {value}"
        for resource, value in wanted.items()
        if parse_quantity(limits[resource]) != parse_quantity(value)
    ]
    if wrong:
        return Finding("valeurs", f"{' ; '.join(wrong)}.")
    return Finding(None, f"classe Guaranteed, {wanted['memory']} et {wanted['cpu']}.")
