"""Asks for the catalogue from inside the student's pod, gives it another address, and asks again."""

from __future__ import annotations

import ipaddress

from k8s_helpers.exercises.controls import Bench, Finding

SERVICE = "catalogue"
PATIENCE_S = 6.0
ASK = """
import http.client, os, socket, urllib.parse, urllib.request
url = urllib.parse.urlsplit(os.environ.get("CATALOGUE_URL", ""))
said = "variable"
if url.scheme == "https":
    said = "https"
elif url.hostname:
    try:
        socket.getaddrinfo(url.hostname, url.port or 80)
        place = urllib.parse.urlunsplit((url.scheme, url.netloc, "/api/info", "", ""))
        with urllib.request.urlopen(place, timeout=2) as answer:
            said = "oui" if b"Le catalogue" in answer.read() else "port"
    except socket.gaierror:
        said = "nom"
    except (OSError, ValueError, http.client.HTTPException):
        said = "port"
print(said, url.hostname)
"""


def check(bench: Bench) -> Finding:
    """Return whether the pod finds the Service, before and after its address changes."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1:
        return Finding("refuse", "il faut un Pod, rien d’autre.")
    bench.progress.step("Démarrage du catalogue")
    bench.apply(bench.given("catalogue.yaml"))
    bench.wait_settled()
    before = _serve(bench)
    bench.progress.step("Démarrage de votre pod")
    bench.apply(objects)
    pod = objects[0]["metadata"]["name"]
    bench.namespace.wait("pod", pod, "Ready", bench.remaining_s)
    said, host = _ask(bench, pod)
    if said != "oui":
        return _refused(said, host)
    bench.progress.step("Le Service change d’adresse")
    bench.namespace.delete_object("service", SERVICE)
    after = _serve(bench)
    if _ask(bench, pod)[0] != "oui":
        return Finding(
            "fige",
            f"trouvé à {before} ; le Service recréé à {after}, votre pod demande toujours à {host}.",
        )
    return Finding(None, f"trouvé à {before}, puis à {after}, sans que votre pod redémarre.")


def _serve(bench: Bench) -> str:
    """Make the Service and return the address that it got, once it answers there."""
    bench.apply(bench.given("service.yaml"))
    bench.wait_answers(SERVICE)
    return str(bench.namespace.get("service", SERVICE)["spec"]["clusterIP"])


def _ask(bench: Bench, pod: str) -> tuple[str, str]:
    """Ask from inside the pod until it is answered; return what came last, and whom it asked."""

    def ask() -> tuple[str, str]:
        done = bench.namespace.exec(pod, ["python3", "-S", "-c", ASK])
        said, _, host = done.stdout.strip().partition(" ")
        return said, host

    decided = ("oui", "variable", "https")
    return bench.until(ask, PATIENCE_S, lambda answer: answer[0] in decided, every_s=0.3)


def _refused(said: str, host: str) -> Finding:
    if said == "variable":
        return Finding("variable", "votre pod n’a pas de CATALOGUE_URL qui soit une adresse web.")
    if said == "https":
        return Finding("https", "votre pod demande une connexion chiffrée (https) au catalogue.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        words = {
            "nom": f"depuis votre pod, personne ne connaît le nom « {host} ».",
            "port": f"depuis votre pod, « {host} » est trouvé, mais personne ne répond à ce port.",
        }
        return Finding(said if host.partition(".")[0] == SERVICE else "nom", words[said])
    return Finding("adresse", f"depuis votre pod, personne ne répond à l’adresse {host}.")
