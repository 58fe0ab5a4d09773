"""What a program sees from inside a pod: an HTTP answer, a variable."""

from __future__ import annotations

from .._errors import ExecError
from ..cluster import Namespace
from .codes import NO_ANSWER
from .lane import Lane

_FETCH = """
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=float(sys.argv[2]))
    print(answer.headers.get("X-App-Version") or "?", answer.headers.get("X-Pod-Name"))
except urllib.error.HTTPError as error:
    print("-", f"HTTP {error.code}")
except OSError as error:
    print("-", getattr(error, "reason", error))
"""
_POST = """
import os, sys, urllib.request
host = os.environ.get("BIND_ADDR") or "127.0.0.1"
url = "http://%s:8080%s" % (host, sys.argv[1])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(urllib.request.Request(url, method="POST"), timeout=5).read()
"""
_TIMEOUT_S = 3.0
# A name that gets no answer holds the resolver longer than any timeout of HTTP's: 5 s, twice, in each domain that
# resolv.conf searches.
_RESOLVER_S = 60.0
_NAME_TIMEOUT_S = 30.0


def fetch(namespace: Namespace, pod: str, url: str) -> tuple[str | None, str]:
    """Ask for a URL from inside a pod, as a program there would.

    Returns
    -------
    version : str or None
        Of the app that answers; None where none does.
    detail : str
        The pod that answers, or why none does.
    """
    argv = ["python3", "-c", _FETCH, url, str(_TIMEOUT_S)]
    done = namespace.exec(pod, argv, timeout_s=_RESOLVER_S + _TIMEOUT_S)
    version, _, detail = done.stdout.strip().partition(" ")
    if done.returncode != 0 or not version:
        raise ExecError(
            f"Appeler {url} depuis le pod {pod}",
            done.stderr.strip()[-300:] or f"code {done.returncode}",
            "Regardez « kubectl describe pod », puis relancez la mesure.",
        )
    return (None if version == "-" else version), detail


def try_to_fetch(lane: Lane, who: str, what: str, pod: str, url: str) -> None:
    """Note as an attempt which version of the app answers a pod, or that none does (`NO_ANSWER`)."""
    version, detail = fetch(lane.namespace, pod, url)
    lane.attempt(who, what, version is not None, version or NO_ANSWER, f"{url} : {detail}")


def wait_name(lane: Lane, pod: str, url: str) -> None:
    """Wait until a Service answers a pod: cluster DNS and each node's proxy hear of it with a delay.

    Raises
    ------
    WaitTimeoutError
        It does not within half a minute.
    """
    lane.until(
        lambda: fetch(lane.namespace, pod, url)[0] is not None,
        _NAME_TIMEOUT_S,
        f"{url} répond au pod {pod}",
    )


def post(namespace: Namespace, pod: str, path: str) -> None:
    """Post to the app that runs in a pod, from inside it: through its Service any pod could be the one that answers."""
    done = namespace.exec(pod, ["python3", "-c", _POST, path])
    if done.returncode != 0:
        raise ExecError(
            f"Envoyer POST {path} dans le pod {pod}",
            done.stderr.strip()[-300:] or f"code {done.returncode}",
            "Regardez « kubectl logs » et « kubectl describe pod », puis relancez la mesure.",
        )


def variable(namespace: Namespace, pod: str, name: str) -> str | None:
    """Return a variable of a pod's environment; None where it has none of this name."""
    code = f"import os; print(os.environ.get({name!r}, ''))"
    return namespace.exec(pod, ["python3", "-c", code]).stdout.strip() or None
