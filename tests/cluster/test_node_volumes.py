"""Configuration and volumes of pods on the embedded cluster."""

import base64
import json

from live import eventually, pod
from pod_states import eventually_told, phase, sh, status_of, waiting_for


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def once(namespace, name, script, containers=(), **spec):
    """Run a pod to its end and return what it wrote."""
    main = sh("main", script, **dict(containers))
    namespace.apply(pod(name, main, restartPolicy="Never", **spec))
    found = namespace.wait("pod", name, phase("Succeeded", "Failed"))
    assert found["status"]["phase"] == "Succeeded", (found["status"], namespace.logs(name))
    return namespace.logs(name)


def field(path):
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_the_environment_comes_from_everywhere(namespace):
    namespace.apply([config_map("config", COLOR="blue", SIZE="4"), secret("keys", PASSWORD="pw")])
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "shop-db"},
            "spec": {"selector": {"app": "db"}, "ports": [{"name": "sql", "port": 5432}]},
        }
    )
    env = [
        {"name": "COLOR", "value": "green"},
        {"name": "WHO", **field("metadata.name")},
        {"name": "SPACE", **field("metadata.namespace")},
        {"name": "LABEL", **field("metadata.labels['app']")},
        {"name": "NODE", **field("spec.nodeName")},
        {"name": "IP", **field("status.podIP")},
        {"name": "NODE_IP", **field("status.hostIP")},
        {
            "name": "PASS",
            "valueFrom": {"secretKeyRef": {"name": "keys", "key": "PASSWORD"}},
        },
        {
            "name": "MAYBE",
            "valueFrom": {"configMapKeyRef": {"name": "no", "key": "x", "optional": True}},
        },
        {
            "name": "MEMORY",
            "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}},
        },
        {"name": "JOINED", "value": "$(COLOR)-$(WHO)-$$(WHO)-$(NOBODY)"},
    ]
    more = {
        "env": env,
        "envFrom": [
            {"configMapRef": {"name": "config"}},
            {"prefix": "P_", "secretRef": {"name": "keys"}},
            {"configMapRef": {"name": "missing", "optional": True}},
        ],
        "resources": {"limits": {"memory": "64Mi"}},
    }
    text = once(namespace, "env", "env", more)
    seen = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert seen["COLOR"] == "green"
    assert seen["SIZE"] == "4"
    assert seen["P_PASSWORD"] == seen["PASS"] == "pw"
    assert (seen["WHO"], seen["SPACE"], seen["LABEL"]) == ("env", namespace.name, "env")
    status = namespace.get("pod", "env")["status"]
    assert (seen["IP"], seen["NODE_IP"]) == (status["podIP"], status["hostIP"])
    assert "BIND_ADDR" not in seen and "http_proxy" not in seen
    assert seen["HOSTNAME"] == "env"
    assert "MAYBE" not in seen
    assert seen["MEMORY"] == "64"
    assert seen["JOINED"] == "green-env-$(WHO)-$(NOBODY)"
    assert seen["SHOP_DB_SERVICE_PORT_SQL"] == "5432"
    assert seen["SHOP_DB_SERVICE_HOST"] == namespace.get("service", "shop-db")["spec"]["clusterIP"]
    assert "KUBERNETES_SERVICE_HOST" in seen


def test_a_missing_key_is_told_and_healed_when_it_comes(namespace):
    env = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "x"}}}]
    namespace.apply(pod("waits", sh("main", "exec sleep 1000", env=env)))
    found = namespace.wait(
        "pod", "waits", lambda now: waiting_for(now, "main") == "CreateContainerConfigError"
    )
    words = 'configmap "later" not found'
    assert status_of(found, "main")["state"]["waiting"]["message"] == words
    eventually_told(namespace, "waits", "Failed", f"Error: {words}")
    namespace.apply(config_map("later", y="1"))
    words = f"couldn't find key x in ConfigMap {namespace.name}/later"
    eventually_told(namespace, "waits", "Failed", f"Error: {words}")
    namespace.apply(config_map("later", x="1"))
    namespace.wait("pod", "waits", "Ready")


def test_a_config_map_volume_follows_its_object(namespace):
    namespace.apply(config_map("site", page="one"))
    mount = {"volumeMounts": [{"name": "site", "mountPath": "/site"}]}
    volume = {"name": "site", "configMap": {"name": "site", "defaultMode": 0o440}}
    namespace.apply(pod("reads", sh("main", "exec sleep 1000", **mount), volumes=[volume]))
    namespace.wait("pod", "reads", "Ready")

    def read():
        return namespace.exec("reads", ["cat", "/site/page"]).stdout

    assert read() == "one"
    assert namespace.exec("reads", ["stat", "-L", "-c", "%a", "/site/page"]).stdout == "440\n"
    namespace.apply(config_map("site", page="two", other="x"))
    eventually(lambda: read() == "two")
    assert namespace.exec("reads", ["ls", "/site"]).stdout.split() == ["other", "page"]
    assert namespace.exec("reads", ["readlink", "/site/page"]).stdout == "..data/page\n"


def test_items_sub_paths_and_empty_dirs(namespace):
    namespace.apply([config_map("site", a="A", b="B"), secret("keys", k="K")])
    mounts = [
        {"name": "site", "mountPath": "/etc/shop/only", "subPath": "deep/a"},
        {"name": "keys", "mountPath": "/keys"},
        {"name": "work", "mountPath": "/one", "subPath": "one"},
        {"name": "work", "mountPath": "/named", "subPathExpr": "$(WHO)"},
        {"name": "work", "mountPath": "/work"},
    ]
    volumes = [
        {
            "name": "site",
            "configMap": {"name": "site", "items": [{"key": "a", "path": "deep/a"}]},
        },
        {"name": "keys", "secret": {"secretName": "keys", "defaultMode": 0o400}},
        {"name": "work", "emptyDir": {}},
    ]
    script = (
        "cat /etc/shop/only /keys/k; echo x > /one/file; echo y > /named/file; "
        "find /work -type f | sort; stat -L -c %a /keys/k; touch /keys/no 2>/dev/null || echo fixed"
    )
    more = {"volumeMounts": mounts, "env": [{"name": "WHO", **field("metadata.name")}]}
    text = once(namespace, "mounts", script, more, volumes=volumes)
    assert text.split() == ["AK/work/mounts/file", "/work/one/file", "400", "fixed"]


def test_the_downward_api_and_the_token_are_projected(namespace, cluster):
    sources = [
        {
            "downwardAPI": {
                "items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
            }
        },
        {"serviceAccountToken": {"path": "token", "audience": "shop", "expirationSeconds": 600}},
    ]
    mount = {"volumeMounts": [{"name": "all", "mountPath": "/all"}]}
    volume = {"name": "all", "projected": {"sources": sources}}
    namespace.apply(pod("self", sh("main", "exec sleep 1000", **mount), volumes=[volume]))
    found = namespace.wait("pod", "self", "Ready")
    assert namespace.exec("self", ["cat", "/all/labels"]).stdout == 'app="self"'
    token = namespace.exec("self", ["cat", "/all/token"]).stdout
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == ["shop"]
    assert claims["kubernetes.io"]["pod"]["uid"] == found["metadata"]["uid"]
    namespace.patch("pod", "self", {"metadata": {"labels": {"color": "blue"}}})
    eventually(
        lambda: 'color="blue"' in namespace.exec("self", ["cat", "/all/labels"]).stdout,
    )
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    seen = namespace.exec("self", ["sh", "-c", f"cat {account}/namespace; ls {account}"]).stdout
    assert seen == f"{namespace.name}ca.crt\nnamespace\ntoken\n"


def test_a_volume_that_cannot_be_mounted_is_told_and_healed(namespace):
    mount = {"volumeMounts": [{"name": "site", "mountPath": "/site"}]}
    volume = {"name": "site", "configMap": {"name": "late"}}
    namespace.apply(pod("waits", sh("main", "exec sleep 1000", **mount), volumes=[volume]))
    words = 'MountVolume.SetUp failed for volume "site" : configmap "late" not found'
    eventually_told(namespace, "waits", "FailedMount", words)
    namespace.wait("pod", "waits", lambda now: waiting_for(now, "main") == "ContainerCreating")
    namespace.apply(config_map("late", page="one"))
    namespace.wait("pod", "waits", "Ready")


def test_host_paths_are_checked(namespace):
    mount = {"volumeMounts": [{"name": "host", "mountPath": "/host"}]}
    volume = {"name": "host", "hostPath": {"path": "/etc/hostname", "type": "Directory"}}
    namespace.apply(pod("wrong", sh("main", "exec sleep 1000", **mount), volumes=[volume]))
    eventually_told(
        namespace,
        "wrong",
        "FailedMount",
        "hostPath type check failed: /etc/hostname is not a directory",
    )


def test_host_aliases_and_host_names(namespace):
    alias = {"ip": "127.0.0.9", "hostnames": ["shop.example"]}
    text = once(
        namespace,
        "names",
        "hostname; cat /etc/hosts",
        hostname="front",
        subdomain="shop",
        hostAliases=[alias],
    )
    assert text.splitlines()[0] == "front"
    assert "127.0.0.9\tshop.example" in text
    assert f"front.shop.{namespace.name}.svc.cluster.local" in text
