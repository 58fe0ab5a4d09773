"""What a security context refuses, takes away, and asks for in vain."""

import pytest

from embedded_kubernetes.node.rules.security import (
    capabilities,
    no_new_privileges,
    refusal,
    without_effect,
)
from embedded_kubernetes.node.runtime.rootfs import KEPT_CAPABILITIES

META = {"name": "shop", "namespace": "lab", "uid": "u-1"}
WHERE = '(pod: "shop_lab(u-1)", container: web)'
ALL = frozenset(KEPT_CAPABILITIES.values())


def container(**context):
    return {"name": "web", "securityContext": context}


def pod_of(*containers, **spec):
    return {"metadata": META, "spec": {"containers": list(containers), **spec}}


@pytest.mark.parametrize(
    ("of_pod", "own", "image_user", "words"),
    [
        ({"runAsNonRoot": True}, {}, "", "container has runAsNonRoot and image will run as root"),
        (
            {},
            {"runAsNonRoot": True},
            "0:5",
            "container has runAsNonRoot and image will run as root",
        ),
        (
            {"runAsNonRoot": True},
            {},
            "web",
            "container has runAsNonRoot and image has non-numeric user (web), "
            "cannot verify user is non-root",
        ),
        (
            {"runAsNonRoot": True, "runAsUser": 1000},
            {"runAsUser": 0},
            "1000",
            "container's runAsUser breaks non-root policy",
        ),
        ({"runAsNonRoot": True}, {"runAsNonRoot": False}, "", None),
        ({"runAsNonRoot": True, "runAsUser": 1000}, {}, "", None),
        ({"runAsNonRoot": True}, {}, "1000:1000", None),
        ({}, {}, "", None),
    ],
)
def test_root_where_it_is_forbidden(of_pod, own, image_user, words):
    web = container(**own)
    said = refusal(pod_of(web, securityContext=of_pod), web, image_user)
    assert said == (None if words is None else f"{words} {WHERE}")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, ALL),
        ({"drop": ["ALL"]}, frozenset()),
        ({"drop": ["all"], "add": ["NET_BIND_SERVICE"]}, {10}),
        ({"drop": ["CAP_CHOWN"]}, ALL - {0}),
        ({"add": ["SYS_ADMIN"]}, ALL),
    ],
)
def test_capabilities_that_are_kept(said, kept):
    assert capabilities(container(capabilities=said)) == kept


def test_privileges_are_given_up_only_where_it_is_asked():
    assert no_new_privileges(container(allowPrivilegeEscalation=False))
    assert not no_new_privileges(container(allowPrivilegeEscalation=True))
    assert not no_new_privileges({"name": "web"})


def test_what_has_no_effect_is_named():
    web = container(
        runAsUser=1000,
        privileged=True,
        seccompProfile={"type": "Unconfined"},
        capabilities={"add": ["NET_ADMIN"], "drop": ["ALL"]},
        allowPrivilegeEscalation=False,
    )
    debug = {"name": "debug", "targetContainerName": "web"}
    of_pod = {"fsGroup": 2000, "runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}}
    found = without_effect(
        pod_of(
            web,
            shareProcessNamespace=True,
            hostUsers=False,
            securityContext=of_pod,
            ephemeralContainers=[debug],
        )
    )
    assert found == [
        "shareProcessNamespace",
        "hostUsers",
        "securityContext.fsGroup",
        "securityContext.seccompProfile",
        "containers[web].securityContext.runAsUser",
        "containers[web].securityContext.privileged",
        "containers[web].securityContext.capabilities.add",
        "ephemeralContainers[debug].targetContainerName",
    ]
    plain = pod_of(container(readOnlyRootFilesystem=True, runAsNonRoot=True, runAsUser=0))
    assert without_effect(plain) == []
