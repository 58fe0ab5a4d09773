"""Limits of what a pod writes, on disk and in memory."""

import pytest

from embedded_kubernetes.node.storage.disk import written_bytes
from embedded_kubernetes.node.storage.local_storage import Measured, excess, limited
from embedded_kubernetes.node.storage.memory_volumes import charged, size_bytes

MI = 1 << 20
SCRATCH = {"name": "d", "emptyDir": {"sizeLimit": "1Mi"}}


def container(name, limit=None, **more):
    limits = {} if limit is None else {"ephemeral-storage": limit}
    return {"name": name, "resources": {"limits": limits}, **more}


def pod_of(*containers, volumes=(), inits=(), **spec):
    return {
        "spec": {
            "containers": list(containers),
            "initContainers": list(inits),
            "volumes": list(volumes),
            **spec,
        }
    }


@pytest.mark.parametrize(
    ("pod", "measured", "words"),
    [
        (
            pod_of(container("a"), volumes=[SCRATCH]),
            Measured({"d": MI + 1}),
            'Usage of EmptyDir volume "d" exceeds the limit "1Mi". ',
        ),
        (pod_of(container("a"), volumes=[SCRATCH]), Measured({"d": MI}), None),
        (
            pod_of(container("a", "5Mi")),
            Measured({"d": 3 * MI}, {"a": 2 * MI + 1}),
            "Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ",
        ),
        (
            pod_of(container("a", "1Mi"), container("b", "512Ki"), container("c")),
            Measured({}, {"c": 2 * MI}),
            "Pod ephemeral local storage usage exceeds the total limit of containers 1536Ki. ",
        ),
        (
            pod_of(container("a", "1Mi"), container("b", "9Mi")),
            Measured({}, {"a": 2 * MI}),
            'Container a exceeded its local ephemeral storage limit "1Mi". ',
        ),
        (pod_of(container("a"), volumes=[SCRATCH]), Measured({}, {"a": 9 * MI}), None),
    ],
)
def test_who_has_written_too_much(pod, measured, words):
    assert limited(pod)
    assert excess(pod, measured) == words


def test_a_pod_without_limits_is_not_measured():
    unlimited = [{"name": "d", "emptyDir": {}}, {"name": "z", "emptyDir": {"sizeLimit": "0"}}]
    in_memory = {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    assert not limited(pod_of(container("a"), volumes=[*unlimited, in_memory]))


def test_links_and_folders_do_not_count(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 8192)
    (tmp_path / "outside").symlink_to("/usr")
    assert 8192 <= written_bytes(tmp_path) < 8192 + 4096
    assert written_bytes(tmp_path / "none") == 0


@pytest.mark.parametrize(
    ("size", "limit", "of_pod", "expected"),
    [
        (None, None, None, 1024 * MI),
        ("2Mi", "64Mi", None, 2 * MI),
        ("2Gi", None, None, 1024 * MI),
        (None, "32Mi", None, 32 * MI),
        (None, None, "16Mi", 16 * MI),
    ],
)
def test_a_volume_in_memory_is_no_larger_than_the_memory_of_its_pod(size, limit, of_pod, expected):
    volume = {"name": "m", "emptyDir": {"medium": "Memory"}}
    if size:
        volume["emptyDir"]["sizeLimit"] = size
    limits = {"memory": limit} if limit else {}
    spec = {"resources": {"limits": {"memory": of_pod}}} if of_pod else {}
    pod = pod_of({"name": "a", "resources": {"limits": limits}}, volumes=[volume], **spec)
    assert size_bytes(volume, pod, {"memory": "1Gi"}) == expected


def test_files_in_memory_are_charged_to_the_first_that_may_write():
    volume = {"name": "m", "emptyDir": {"medium": "Memory"}}
    reader = container("r", volumeMounts=[{"name": "m", "mountPath": "/m", "readOnly": True}])
    writers = [container(n, volumeMounts=[{"name": "m", "mountPath": "/m"}]) for n in "ab"]
    pod = pod_of(reader, *writers, volumes=[volume, SCRATCH])
    found = {one["name"]: charged(one, pod, [volume, SCRATCH]) for one in (reader, *writers)}
    assert found == {"r": [], "a": ["m"], "b": []}
