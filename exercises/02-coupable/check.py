"""Compares each diagnosis with the only component whose absence gives those symptoms."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding

WHO = {
    "refus": "kube-apiserver",
    "sans_noeud": "kube-scheduler",
    "deployment_seul": "kube-controller-manager",
    "noeud_muet": "kubelet",
    "nom_inconnu": "CoreDNS",
    "service_muet": "kube-proxy",
}


def check(values: Mapping[str, str]) -> Finding:
    """Return the first diagnosis that does not fit its symptoms."""
    wrong = [key for key, who in WHO.items() if values[key] != who]
    text = f"{len(WHO) - len(wrong)} pannes reconnues sur {len(WHO)}"
    if wrong:
        first = wrong[0]
        return Finding(first, f"{text} ; « {first} » ne vient pas de {values[first]}.")
    return Finding(None, f"{text}. Vous savez qui fait quoi.")
