"""A blog in two pods, its database on a claim: an article is written, then each pod is taken away in turn."""

from __future__ import annotations

import os
import re
import secrets
import xmlrpc.client
from urllib.parse import urlencode

from ..._errors import ResourceError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, ServiceAddress
from ...kube.http import Answer, get, request
from ...kube.waiting import wait_until
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import Outcome, What, Who
from .lab import LAB

IMAGES = {
    "wordpress:6": "K8S_HELPERS_WORDPRESS_IMAGE",
    "mysql:9": "K8S_HELPERS_MYSQL_IMAGE",
}
"""Images of the manifest, and the variables that name others in their place."""

_REGISTRY = "docker.io/library"
"""Where names without a registry are looked for; it is written out so that a registry out of reach is said at once."""

SITES = 3
_PULL_TIMEOUT_S = 600.0
_ANSWER_S = 30.0
_READS = 12
_AUTHOR = "autrice"
_TITLE = "Un article qui reste"
_INSTALL, _XML_RPC = "/wp-admin/install.php", "/xmlrpc.php"


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Install a blog, publish an article, and read it after each pod was replaced by another.

    The images are those of the manifest, or those that the variables of `IMAGES` name. A cluster that does not have
    them pulls them.

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    ImageError
        The nodes cannot have the images.
    WaitTimeoutError
        The blog does not get ready.
    ResourceError
        WordPress refuses to be installed or to publish.
    """
    with LAB.open(cluster, progress, versions=(), live=False) as measure:
        measure.images = {
            name: os.environ.get(variable) or f"{_REGISTRY}/{name}"
            for name, variable in IMAGES.items()
        }
        with measure.lane("blog", "Un blog dans deux pods", {"images": measure.images}) as lane:
            lane.step("images, base, site")
            for plain in lane.apply("wordpress.yaml"):
                if plain["kind"] == "Deployment":
                    lane.wait_rollout(plain["metadata"]["name"], timeout_s=_PULL_TIMEOUT_S)
            with lane.recorded():
                _follow(lane, lane.ready_address("wordpress"))
        return measure.recording()


def _follow(lane: Lane, address: ServiceAddress) -> None:
    """Publish, then take the pods away."""
    password = secrets.token_urlsafe(12)
    _install(lane, address, password)
    _publish(lane, address, password)
    lane.step(f"{SITES} sites")
    lane.namespace.scale("deployment", "wordpress", SITES)
    lane.wait_rollout("wordpress")
    _read(lane, address, What.THREE_SITES)
    lane.step("les pods du site sont remplacés")
    _replace(lane, "wordpress", SITES)
    _read(lane, address, What.NEW_SITES)
    lane.step("le pod de la base est remplacé")
    _replace(lane, "mysql", 1)
    _read(lane, address, What.NEW_DATABASE)


def _install(lane: Lane, address: ServiceAddress, password: str) -> None:
    """Fill in the form that a new WordPress shows."""
    lane.step("installation de WordPress")
    form = {
        "weblog_title": "Le blog du cours",
        "user_name": _AUTHOR,
        "admin_password": password,
        "admin_password2": password,
        "pw_weak": "on",
        "admin_email": "autrice@example.com",
        "blog_public": "0",
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = _send(address, f"{_INSTALL}?step=2", urlencode(form).encode(), kind)
    if _AUTHOR not in answer.body:
        raise _refused("Installer WordPress", re.sub(r"<[^>]*>", " ", answer.body))
    images = ", ".join(lane.measure.images.values())
    lane.attempt(Who.AUTHOR, What.INSTALL, True, Outcome.DONE, images)


def _publish(lane: Lane, address: ServiceAddress, password: str) -> None:
    """Publish as a program of the author's does, by XML-RPC."""
    lane.step("publication d’un article")
    article = {
        "post_title": _TITLE,
        "post_content": "Écrit depuis le cours.",
        "post_status": "publish",
    }
    call = xmlrpc.client.dumps((1, _AUTHOR, password, article), "wp.newPost").encode()
    answer = _send(address, _XML_RPC, call, {"Content-Type": "text/xml"})
    try:
        number = str(xmlrpc.client.loads(answer.body)[0][0])
    except (xmlrpc.client.Error, ValueError) as error:
        raise _refused("Publier un article", str(error)) from error
    lane.attempt(Who.AUTHOR, What.PUBLISH, True, Outcome.DONE, f"« {_TITLE} » (n° {number})")


def _send(address: ServiceAddress, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    answer = request("POST", address, path, body=body, headers=headers, timeout_s=_ANSWER_S)
    return answer.require()


def _refused(attempted: str, said: str) -> ResourceError:
    return ResourceError(
        attempted,
        " ".join(said.split())[:300] or "aucune réponse",
        "Regardez « kubectl logs deployment/wordpress » pendant la mesure, puis relancez-la.",
    )


def _replace(lane: Lane, app: str, count: int) -> None:
    """Delete all pods of an app, and wait until as many others are ready."""
    before = {pod["metadata"]["uid"] for pod in lane.pods(f"app={app}")}
    for pod in lane.pods(f"app={app}"):
        lane.mark("delete", pod["metadata"]["name"])
        lane.namespace.delete_object("pod", pod["metadata"]["name"])
    lane.until(
        lambda: before.isdisjoint(pod["metadata"]["uid"] for pod in lane.pods(f"app={app}")),
        _ANSWER_S,
        "les pods supprimés s’en vont",
    )
    lane.wait_pods(count, f"app={app}")


def _read(lane: Lane, address: ServiceAddress, what: What) -> None:
    """Read the blog as several readers, each on a connection of its own: the article must be there for all."""

    def home() -> Answer:
        return get(address, timeout_s=_ANSWER_S)

    lane.in_background(lambda: wait_until(home, _ANSWER_S).require())
    seen = sum(_TITLE in home().body for _ in range(_READS))
    kept = seen == _READS
    lane.attempt(
        Who.READERS, what, kept, Outcome.READ if kept else Outcome.LOST, f"{seen}/{_READS}"
    )
