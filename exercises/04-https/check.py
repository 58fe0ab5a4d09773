"""Asks for the page by HTTPS as a client would that trusts the certificate of the student's own Secret."""

from __future__ import annotations

import base64
import binascii
import socket
import ssl
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from k8s_helpers.exercises.controls import Bench, Finding

HOST = "achats.example.com"
APP = b"X-App-Version: v1"
LONGEST_S = 12.0
"""A controller takes up an Ingress and a Secret within a few seconds."""


class Page(NamedTuple):
    """What a client that trusts one certificate gets."""

    trusted: bool
    status: str = ""
    from_app: bool = False


def symptoms(bench: Bench) -> bool:
    """Return whether the shop runs, and nothing leads to it from outside."""
    return bool(bench.behind("boutique")) and not bench.namespace.list("ingress")


def check(bench: Bench) -> Finding:
    """Return what keeps a client from the page, the first thing that is missing."""
    rules = [one for one in bench.namespace.list("ingress") if HOST in _hosts(one)]
    if not rules:
        return Finding("rien", f"aucun Ingress n’a de règle pour {HOST}.")
    named = [
        tls["secretName"]
        for one in rules
        for tls in one["spec"].get("tls") or ()
        if "secretName" in tls
    ]
    if not named:
        return Finding("sans-tls", "l’Ingress ne nomme aucun certificat.")
    certificates = {secret["metadata"]["name"]: secret for secret in bench.namespace.list("secret")}
    good = [name for name in named if certificates.get(name, {}).get("type") == "kubernetes.io/tls"]
    if not good:
        return Finding(
            "secret", f"il n’y a pas de Secret « {named[0]} » de type kubernetes.io/tls."
        )
    pem = _certificate(certificates[good[0]])
    url = bench.cluster.ingress_url(bench.progress, tls=True)
    page = bench.until(lambda: _page(url, pem), LONGEST_S, lambda seen: seen.from_app)
    return judge(page or _page(url, pem))


def judge(page: Page) -> Finding:
    """Return what a client meets."""
    if not page.trusted:
        return Finding(
            "nom",
            f"pour {HOST}, le contrôleur ne montre pas un certificat à ce nom (subjectAltName).",
        )
    if not page.from_app:
        return Finding("regle", f"le certificat est bon, mais la réponse est « {page.status} ».")
    return Finding(None, f"https://{HOST}/ répond, et le certificat est le bon.")


def _hosts(ingress: dict[str, Any]) -> set[str]:
    return {rule.get("host", "") for rule in ingress["spec"].get("rules") or ()}


def _certificate(secret: dict[str, Any]) -> str:
    try:
        return base64.b64decode(secret["data"]["tls.crt"]).decode()
    except (KeyError, ValueError, binascii.Error):
        return ""


def _page(url: str, pem: str) -> Page:
    """Ask for the page by the name, trusting that certificate alone."""
    place = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False  # no browser looks at a subject's name any more
    try:
        context.load_verify_locations(cadata=pem)
        with (
            socket.create_connection((str(place.hostname), int(place.port or 443)), 5) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            answer = b""
            while b"\r\n\r\n" not in answer and (piece := connection.recv(4096)):
                answer += piece
    except (ssl.SSLError, ValueError):
        return Page(trusted=False)
    except OSError as error:
        return Page(trusted=True, status=str(error))
    status = answer.partition(b"\r\n")[0].decode(errors="replace")
    return Page(True, status.partition(" ")[2], APP.lower() in answer.lower())
