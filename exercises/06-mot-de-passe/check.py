"""Looks for the password as the program does, then as an account does that may read everything but Secrets."""

from __future__ import annotations

import base64
import json

from k8s_helpers.exercises.controls import Bench, Finding

PASSWORD = "sesame-4821"
FILE = "/secrets/mot-de-passe"
READABLE = ("configmap", "pod", "deployment", "replicaset", "service", "serviceaccount")


def check(bench: Bench) -> Finding:
    """Return whether the program has its password, and nobody else."""
    objects = bench.answer["manifeste"]
    if not any(item["kind"] == "Deployment" for item in objects):
        return Finding("incomplet", "il n’y a pas de Deployment dans votre réponse.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.progress.step("Un compte au rôle « view » fouille l’espace de noms")
    if (where := _seen_by_visitor(bench)) is not None:
        return Finding("visible", f"le compte « visiteur » l’a lu dans {where}.")
    bench.progress.step("Le programme lit son fichier")
    pods = bench.namespace.list("pod")
    if not pods:
        return Finding("incomplet", "votre Deployment n’a aucun pod.")
    return _in_pod(bench, pods[0]["metadata"]["name"])


def _seen_by_visitor(bench: Bench) -> str | None:
    """Return the first object where the password stands in clear or in base64; None where there is none."""
    bench.namespace.apply(bench.given("visiteur.yaml"))
    bench.wait_rights()
    words = (PASSWORD, base64.b64encode(PASSWORD.encode()).decode())
    for kind in READABLE:
        for item in bench.read_as("visiteur", kind)["items"]:
            text = json.dumps(item, ensure_ascii=False)
            if any(word in text for word in words):
                return f"{kind}/{item['metadata']['name']}"
    return None


def _in_pod(bench: Bench, pod: str) -> Finding:
    found = bench.namespace.exec(pod, ["cat", FILE])
    if found.returncode != 0:
        return Finding("absent", f"dans le pod, {FILE} n’existe pas.")
    if found.stdout.strip() != PASSWORD:
        return Finding("valeur", f"dans le pod, {FILE} contient « {found.stdout.strip()[:40]} ».")
    variables = bench.namespace.exec(pod, ["env"]).stdout
    if PASSWORD in variables:
        name = next(line for line in variables.splitlines() if PASSWORD in line).partition("=")[0]
        return Finding("environnement", f"la variable {name} du programme le contient aussi.")
    return Finding(
        None,
        f"le programme le lit dans {FILE}, et le compte « visiteur » l’a cherché en vain dans "
        f"{len(READABLE)} sortes d’objets.",
    )
