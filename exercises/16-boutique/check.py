"""A rollout that waits for an image which does not exist: whoever looks at the site alone sees nothing."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    count,
    ready,
    rolled_out,
    waiting_reasons,
)

NAME, CONTAINER, PODS = "boutique", "site", 3
WRONG_IMAGE = "vitrine:V2"
WANTED = "v2"
REQUESTS = 9
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


def set_up(bench: Bench) -> None:
    """Serve version 1, then deliver a version whose image has a wrong name."""
    bench.apply(bench.given("given/1-avant.yaml"))
    bench.wait_settled()
    container = {"name": CONTAINER, "image": WRONG_IMAGE}
    template = {"spec": {"containers": [container]}}
    bench.namespace.patch("deployment", NAME, {"spec": {"template": template}})


def symptoms(bench: Bench) -> bool:
    """Return whether version 1 answers alone, while a new pod has no image."""
    return bool(_without_image(bench)) and _versions(bench) == {"v1"}


def check(bench: Bench) -> Finding:
    """Return which version clients get, and from how many pods."""
    bench.until(lambda: _without_image(bench) or _delivered(bench), bench.remaining_s / 2)
    if _without_image(bench):
        return Finding(
            "image", "les clients ont encore la version 1, et la livraison n’est pas finie."
        )
    if not _delivered(bench):
        return Finding("lente", "la livraison n’est pas finie : un pod n’est pas prêt.")
    versions = _versions(bench)
    if versions != {WANTED}:
        said = ", ".join(sorted(map(str, versions)))
        return Finding(
            "ancienne", f"le site répond, en version {said} : la version 2 n’est pas livrée."
        )
    serving = sum(map(ready, bench.namespace.list("pod", f"app={NAME}")))
    if serving < PODS:
        return Finding(
            "moins",
            f"la version 2 répond, mais {count(serving, 'pod la sert', 'pods la servent')}.",
        )
    return Finding(
        None,
        f"les clients ont la version 2, et {count(serving, 'pod la sert', 'pods la servent')}.",
    )


def _delivered(bench: Bench) -> bool:
    return rolled_out(bench.namespace.get("deployment", NAME))


def _versions(bench: Bench) -> set[str | None]:
    return {answer.version for answer in bench.ask(NAME, REQUESTS)}


def _without_image(bench: Bench) -> list[dict[str, Any]]:
    """Return the pods that the Deployment asks for now, and that the node finds no image for."""
    return [
        pod
        for pod in bench.current_pods(NAME)
        if any(reason in NO_IMAGE for reason in waiting_reasons(pod))
    ]
