import base64

import pytest

from embedded_kubernetes.node.environment.downward import FieldError, field, format_map
from embedded_kubernetes.node.environment.env import (
    ConfigError,
    EnvSources,
    service_variables,
    variables,
)
from embedded_kubernetes.node.environment.expansion import expand, lookup_in

POD = {
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "uid": "u-1",
        "labels": {"app": "web"},
        "annotations": {"example.org/note": 'say "hi"'},
    },
    "spec": {
        "nodeName": "node-1",
        "serviceAccountName": "seller",
        "containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi"}}}],
    },
}
SERVICE = {
    "metadata": {"name": "shop-db", "namespace": "shop"},
    "spec": {
        "clusterIP": "127.96.0.9",
        "ports": [{"name": "sql", "port": 5432}, {"name": "stats", "port": 9, "protocol": "UDP"}],
    },
}
KUBERNETES = {
    "metadata": {"name": "kubernetes", "namespace": "default"},
    "spec": {"clusterIP": "127.96.0.1", "ports": [{"name": "https", "port": 443}]},
}


# The cases of k8s.io/kubernetes/third_party/forked/golang/expansion/expand_test.go.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(VAR_A)", "A"),
        ("___$(VAR_B)___", "___B___"),
        ("$(VAR_A)-$(VAR_B)", "A-B"),
        ("$$(VAR_A)", "$(VAR_A)"),
        ("$$$(VAR_A)", "$A"),
        ("$$$$(VAR_A)", "$$(VAR_A)"),
        ("$(VAR_REF)", "$(VAR_A)"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$VAR_A", "$VAR_A"),
        ("$(VAR_A", "$(VAR_A"),
        ("$(", "$("),
        ("$", "$"),
        ("$$", "$"),
        ("foo$(", "foo$("),
        ("f00-$(VAR_A))", "f00-A)"),
        ("$(VAR_A$(VAR_B)", "$(VAR_A$(VAR_B)"),
        ("$()", "$()"),
        ("", ""),
        ("é$(VAR_A)€$€", "éA€$€"),
    ],
)
def test_references_are_expanded_as_upstream_does(text, expected):
    known = {"VAR_A": "A", "VAR_B": "B", "VAR_REF": "$(VAR_A)"}
    assert expand(text, lookup_in(known)) == expected


def test_fields_of_the_pod():
    def of(path):
        return field(POD, path, "127.244.0.1", "127.0.0.1")

    assert of("metadata.labels['app']") == "web"
    assert of("metadata.labels['none']") == ""
    assert of("spec.serviceAccountName") == "seller"
    assert of("status.podIP") == "127.244.0.1"
    assert of("metadata.annotations") == 'example.org/note="say \\"hi\\""'
    with pytest.raises(FieldError, match=r"unsupported fieldPath: spec\.replicas"):
        of("spec.replicas")


def test_maps_are_sorted_lines():
    assert format_map({"b": "2", "a": "1"}) == 'a="1"\nb="2"'


def sources(objects=(), services=(), folder=None):
    async def get(resource, name):
        return dict(objects).get((resource, name))

    return EnvSources(
        pod=POD,
        pod_ip="127.244.0.1",
        host_ip="127.0.0.1",
        allocatable={"cpu": "4", "memory": "8Gi"},
        services=tuple(services),
        get=get,
        file=lambda volume, path: {"shared": folder}[volume] / path,
    )


async def test_the_manifest_wins_over_its_sources_and_these_over_services():
    objects = {("configmaps", "config"): {"data": {"A": "1", "B": "2"}}}
    container = {
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "config"}}],
        "env": [
            {"name": "P_A", "value": "mine"},
            {"name": "SHOP_DB_SERVICE_PORT", "value": "no"},
            {"name": "URL", "value": "$(SHOP_DB_PORT)/$(P_B)/$(LATER)"},
            {"name": "LATER", "value": "x"},
            {"name": "EMPTY"},
        ],
    }
    found = await variables(container, sources(objects, [SERVICE]))
    assert found["P_A"] == "mine"
    assert found["P_B"] == "2"
    assert found["SHOP_DB_SERVICE_PORT"] == "no"
    assert found["URL"] == "tcp://127.96.0.9:5432/2/$(LATER)"
    assert found["EMPTY"] == ""


async def test_keys_of_objects_and_resources():
    secret = {"data": {"k": base64.b64encode(b"pw").decode()}}
    container = {
        "env": [
            {"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {
                "name": "NO",
                "valueFrom": {"secretKeyRef": {"name": "s", "key": "z", "optional": True}},
            },
            {
                "name": "MEM",
                "valueFrom": {
                    "resourceFieldRef": {
                        "containerName": "main",
                        "resource": "limits.memory",
                        "divisor": "1Mi",
                    }
                },
            },
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ]
    }
    found = await variables(container, sources({("secrets", "s"): secret}))
    assert found == {"K": "pw", "MEM": "64", "CPU": "4"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"configMapKeyRef": {"name": "c", "key": "k"}}, 'configmap "c" not found'),
        ({"secretKeyRef": {"name": "s", "key": "z"}}, "couldn't find key z in Secret shop/s"),
        ({"fieldRef": {"fieldPath": "spec.nothing"}}, "unsupported fieldPath"),
    ],
)
async def test_what_is_missing_is_named(entry, words):
    with pytest.raises(ConfigError, match=words):
        await variables(
            {"env": [{"name": "X", "valueFrom": entry}]}, sources({("secrets", "s"): {"data": {}}})
        )
    with pytest.raises(ConfigError, match='secret "none" not found'):
        await variables({"envFrom": [{"secretRef": {"name": "none"}}]}, sources())


def test_service_variables_are_those_of_docker_links():
    found = service_variables([SERVICE, KUBERNETES], POD)
    assert found["SHOP_DB_SERVICE_HOST"] == "127.96.0.9"
    assert found["SHOP_DB_SERVICE_PORT"] == "5432"
    assert found["SHOP_DB_SERVICE_PORT_SQL"] == "5432"
    assert found["SHOP_DB_PORT_9_UDP"] == "udp://127.96.0.9:9"
    assert found["SHOP_DB_PORT_9_UDP_PROTO"] == "udp"
    assert found["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"


def test_services_are_linked_within_the_namespace_and_only_where_wanted():
    other = {**SERVICE, "metadata": {"name": "far", "namespace": "other"}}
    headless = {**SERVICE, "spec": {**SERVICE["spec"], "clusterIP": "None"}}
    alone = {**POD, "spec": {**POD["spec"], "enableServiceLinks": False}}
    assert service_variables([other, headless], POD) == {}
    hosts = [name for name in service_variables([SERVICE, KUBERNETES], alone) if "HOST" in name]
    assert hosts == ["KUBERNETES_SERVICE_HOST"]


def file_reference(**more):
    return {"volumeName": "shared", "path": "c.env", "key": "A", **more}


async def test_a_variable_comes_out_of_a_file_of_a_volume(tmp_path):
    (tmp_path / "c.env").write_text("A='x y'\n")
    env = [
        {"name": "A", "valueFrom": {"fileKeyRef": file_reference()}},
        {"name": "C", "valueFrom": {"fileKeyRef": file_reference(key="C", optional=True)}},
    ]
    assert await variables({"env": env}, sources(folder=tmp_path)) == {"A": "x y"}


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        (file_reference(key="Z"), 'environment variable key "Z" not found in file ".*/c.env"'),
        (file_reference(path="none", optional=True), "couldn't parse env file"),
        (file_reference(volumeName="x"), 'cannot find the volume "x" referenced by FileKeyRef'),
    ],
)
async def test_a_file_without_the_variable_is_an_error(tmp_path, reference, error):
    (tmp_path / "c.env").write_text("A='x y'\n")
    env = [{"name": "A", "valueFrom": {"fileKeyRef": reference}}]
    with pytest.raises(ConfigError, match=error):
        await variables({"env": env}, sources(folder=tmp_path))
