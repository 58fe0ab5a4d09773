"""What the experiments on state have in common: the app "carnet", asked from outside and from within its pods."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import images
from .._errors import K8sHelpersError, WaitTimeoutError
from .._progress import Progress
from .._run import Completed
from ..cluster import Cluster, ServiceAddress
from .play import Play, Show, opened

APP = "carnet"
PROGRAM = ("python3", "-S", "/app/main.py")
"""The app's commands, for `kubectl exec`."""

_ASK_TIMEOUT_S = 5.0
_PATIENCE_S = 30.0


@contextmanager
def playing(
    experiment: str,
    folder: str,
    cluster: Cluster | None,
    progress: Progress | None,
    versions: Sequence[str] = ("v1",),
) -> Iterator[Show]:
    """Prepare an experiment on the app "carnet"; see `play.opened`."""
    with opened(experiment, folder, cluster, progress, versions=()) as show:
        show.progress.step("Préparation des images du carnet")
        show.refs = {
            f"{APP}:{one}": images.ensure(show.cluster, APP, one, show.progress) for one in versions
        }
        yield show


def tell(play: Play, kind: str, **facts: object) -> None:
    """Note facts with the instant at which they were seen; `timeline.told` reads them back."""
    play.mark(kind, json.dumps(facts, ensure_ascii=False))


def ask(address: ServiceAddress, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Make one request on a connection of its own, and return the JSON of its answer.

    Raises
    ------
    OSError
        No answer, or one that is an error.
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {**address.headers, **({"Content-Type": "application/json"} if data else {})}
    request = urllib.request.Request(address.url + path, data, headers)
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if address.ca_file is not None:
        context = ssl.create_default_context(cafile=str(address.ca_file))
        if address.cert_file is not None:
            context.load_cert_chain(address.cert_file, address.key_file)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    with urllib.request.build_opener(*handlers).open(request, timeout=_ASK_TIMEOUT_S) as answer:
        return json.load(answer)


def ask_patiently(address: ServiceAddress, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask again where nobody answers, as a visitor would: pods come and go.

    Raises
    ------
    WaitTimeoutError
        Nobody answers for half a minute.
    """
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask(address, path, body)
        except OSError as error:
            if time.monotonic() > end_s:
                raise WaitTimeoutError(
                    f"Demander {address.url}{path}",
                    f"aucune réponse en {_PATIENCE_S:.0f} s ({error})",
                    "Regardez « kubectl get pods,endpointslices », puis relancez la mesure.",
                ) from error
        time.sleep(0.1)


def execute(play: Play, pod: str, *argv: str, container: str | None = None) -> str:
    """Run a command in a pod and return what it wrote.

    Raises
    ------
    K8sHelpersError
        It failed: with what it complained of.
    """
    done = attempt(play, pod, *argv, container=container)
    if done.returncode:
        raise K8sHelpersError(
            f"Exécuter « {' '.join(argv)} » dans le pod « {pod} »",
            (done.stderr or done.stdout).strip() or f"code {done.returncode}",
            f"Essayez « kubectl -n {play.namespace.name} exec {pod} -- {' '.join(argv)} ».",
        )
    return done.stdout


def attempt(play: Play, pod: str, *argv: str, container: str | None = None) -> Completed:
    """Run a command in a pod, and return how it ended; charts go on meanwhile."""
    done: list[Completed] = []
    play.in_background(lambda: done.append(play.namespace.exec(pod, argv, container)))
    return done[0]
