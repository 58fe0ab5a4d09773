"""An image that has to be built: whose pod waits, which image it runs, and what it says."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, containers, waiting_reasons

NAME, IMAGE, MESSAGE = "affiche", "affiche:v1", "Soldes"
SETTLED_S = 25.0
"""The node tries again 10 and 20 seconds after its first failures."""

NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


def set_up(bench: Bench) -> None:
    """Take away what an earlier attempt built: images are the whole cluster's."""
    for name in _built(bench):
        bench.cluster.provider.remove_image(name)
    bench.apply(bench.given("given/affiche.yaml"))


def symptoms(bench: Bench) -> bool:
    """Return whether the pod waits for its image."""
    return _without_image(bench)


def check(bench: Bench) -> Finding:
    """Return what the site says, and by which image."""
    asked = containers(bench.namespace.get("deployment", NAME))[0]["image"]
    if not asked.endswith(IMAGE):
        return Finding("detour", f"le Deployment ne demande plus {IMAGE}, mais {asked}.")
    built = _built(bench)
    if not any(_tag(name) == IMAGE for name in built):
        if built:
            return Finding(
                "etiquette", f"le cluster a {', '.join(map(_tag, built))}, et pas {IMAGE}."
            )
        return Finding("image", f"le cluster n’a pas l’image {IMAGE}, et son pod l’attend.")
    if not bench.until(lambda: not _without_image(bench) and _message(bench), SETTLED_S):
        return Finding("image", "l’image est là, mais le pod ne répond pas encore.")
    bench.until(lambda: MESSAGE in _message(bench), 3.0)
    said = _message(bench)
    if MESSAGE not in said:
        return Finding("message", f"le site répond « {said} ».")
    return Finding(None, f"le site répond « {said} », par une image que vous avez faite.")


def _built(bench: Bench) -> list[str]:
    """Return the names of the cluster's images that are called like this exercise's."""
    names = [image.name for image in bench.cluster.provider.images()]
    return [name for name in names if _tag(name).split(":")[0] == NAME]


def _tag(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _without_image(bench: Bench) -> bool:
    pods = bench.namespace.list("pod", f"app={NAME}")
    waiting = [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and any(reason in NO_IMAGE for reason in waiting_reasons(pod))
    ]
    return bool(waiting)


def _message(bench: Bench) -> str:
    """Return what the site displays; "" where it does not answer."""
    (answer,) = bench.ask(NAME)
    return str(answer.json().get("message", "")) if answer else ""
