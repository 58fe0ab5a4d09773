"""What a security context refuses, takes away, and asks for in vain."""

import pytest

from embedded_kubernetes.node.cri import UserConfig
from embedded_kubernetes.node.rules.security import (
    capabilities,
    no_new_privileges,
    refusal,
    user,
    without_effect,
)
from embedded_kubernetes.node.runtime.users.capabilities import NUMBERS, usual

META = {"name": "shop", "namespace": "lab", "uid": "u-1"}
WHERE = '(pod: "shop_lab(u-1)", container: web)'
RANGE = "range-100000-65536"
USUAL = usual(RANGE)


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
        (None, USUAL),
        ({"drop": ["ALL"]}, frozenset()),
        ({"drop": ["all"], "add": ["NET_BIND_SERVICE"]}, {10}),
        ({"drop": ["CAP_CHOWN"]}, USUAL - {0}),
        ({"drop": ["CHOWN"], "add": ["CHOWN", "SYS_TIME"]}, USUAL - {0} | {25}),
        ({"add": ["SYS_ADMIN", "NOVEL"]}, USUAL | {21}),
        ({"add": ["ALL"]}, {*NUMBERS.values()}),
    ],
)
def test_capabilities_that_are_kept(said, kept):
    assert capabilities(container(capabilities=said), RANGE, "pods") == kept


def test_what_containers_have_is_what_engines_leave():
    assert sum(1 << number for number in USUAL) == 0xA80425FB


def test_roots_own_containers_get_nothing_that_reaches_the_machine():
    wants = container(capabilities={"add": ["ALL"]})
    for web in (wants, container(privileged=True)):
        kept = capabilities(web, "root", "host")
        assert not kept & {
            NUMBERS[name] for name in ("SYS_ADMIN", "MKNOD", "NET_ADMIN", "SYS_TIME")
        }
        assert capabilities(web, "root", "pods") == kept | {NUMBERS["NET_ADMIN"]}
    assert usual("root") == USUAL - {NUMBERS["MKNOD"]}


@pytest.mark.parametrize(
    ("of_pod", "own", "image_user", "wanted"),
    [
        ({}, {}, "", UserConfig("0")),
        ({}, {}, "web:www", UserConfig("web")),
        ({"runAsUser": 1000}, {}, "web", UserConfig("1000")),
        ({"runAsUser": 1000, "runAsGroup": 3000}, {"runAsUser": 0}, "", UserConfig("0:3000")),
        ({"runAsGroup": 3000}, {}, "web", UserConfig("web:3000")),
        ({"fsGroup": 0, "supplementalGroups": [4, 5]}, {}, "", UserConfig("0", (0, 4, 5))),
        ({"supplementalGroupsPolicy": "Strict"}, {}, "", UserConfig("0", groups_of_image=False)),
    ],
)
def test_who_a_container_runs_as(of_pod, own, image_user, wanted):
    web = container(**own)
    assert user(pod_of(web, securityContext=of_pod), web, image_user) == wanted


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
    pod = pod_of(
        web,
        shareProcessNamespace=True,
        hostUsers=False,
        securityContext=of_pod,
        ephemeralContainers=[debug],
    )
    always = [
        "securityContext.seccompProfile",
        "containers[web].securityContext.privileged",
    ]
    assert without_effect(pod, RANGE, "pods") == always
    assert {*without_effect(pod, "single", "pods")} - {*always} == {"securityContext.fsGroup"}
    assert {*without_effect(pod, "root", "host")} - {*always} == {
        "hostUsers",
        "containers[web].securityContext.capabilities.add",
    }
    assert {*without_effect(pod, "", "host")} - {*always} == {
        "hostUsers",
        "securityContext.fsGroup",
        "containers[web].securityContext.runAsUser",
        "shareProcessNamespace",
        "ephemeralContainers[debug].targetContainerName",
    }
    plain = pod_of(container(readOnlyRootFilesystem=True, runAsNonRoot=True, runAsUser=0))
    assert without_effect(plain, "", "host") == []
