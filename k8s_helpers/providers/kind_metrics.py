"""metrics-server in a kind cluster, installed by the node itself while the student begins."""

from __future__ import annotations

from pathlib import Path

from .._progress import Progress
from . import kind_images
from .engine import Engine

IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
_MANIFESTS = Path(__file__).with_name("manifests")

_SCRIPT = """
set -e
export KUBECONFIG=/etc/kubernetes/admin.conf
crictl inspecti {image} > /dev/null 2>&1 || crictl pull {image}
kubectl apply --filename /kind/metrics-server.yaml
kubectl --namespace kube-system rollout status deployment/metrics-server --timeout=600s
kubectl apply --filename /kind/metrics-apiservice.yaml
"""


def install(engine: Engine, cluster: str, node: str, progress: Progress) -> None:
    """Let the node install metrics-server by itself while the student begins; without its image nothing is changed."""
    progress.step("Métriques (en arrière-plan)", 0.98)
    if engine.has_image(IMAGE):
        kind_images.load(engine, cluster, node, IMAGE, progress)
    for name in ("metrics-server.yaml", "metrics-apiservice.yaml"):
        text = (_MANIFESTS / name).read_text()
        engine.run("exec", "--interactive", node, "cp", "/dev/stdin", f"/kind/{name}", stdin=text)
    script = _SCRIPT.format(image=IMAGE)
    engine.run("exec", "--detach", node, "sh", "-c", f"({script}) > /kind/metrics-server.log 2>&1")
