"""A class on the embedded cluster: what its students reach and do not, with the real API server's RBAC and admission.

One class serves all tests; what they make in it is refused, or made with `dryRun`.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import live
import pytest
import yaml

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.processes import CommandError
from k8s_helpers._errors import ApiRefusedError, UsageError, WaitTimeoutError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import images
from k8s_helpers.classroom import checking, creation, deletion, kustomize, objects, rights
from k8s_helpers.classroom.objects import ClassPlan
from k8s_helpers.classroom.roster import Member
from k8s_helpers.cluster import Cluster
from k8s_helpers.kube.api import MERGE_PATCH, ApiSession, ApiStatusError
from k8s_helpers.kube.classes import HOME, POOL, Enrolment
from k8s_helpers.kube.discovery import Kinds, discover
from k8s_helpers.kube.refusals import ignoring
from k8s_helpers.kube.waiting import wait_until

NAME = "essai"
DAY = timedelta(days=1)
OWN_HOME, OWN_POOL = f"{NAME}-ana", f"{NAME}-ana-1"
OTHER_HOME, OTHER_POOL = f"{NAME}-bob", f"{NAME}-bob-1"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
SPECIAL = ("impersonate", "bind", "escalate", "approve", "sign", "use")
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

PROGRAMS = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"

Triple = tuple[str, str, str]


def plan(*ids: str, name: str = NAME, **options: Any) -> ClassPlan:
    students = tuple(Member(student, student.title(), 2) for student in ids)
    return ClassPlan(name, students, 1, **options)


def make(api: ApiSession, wished: ClassPlan, folder: Path) -> creation.Made:
    found = creation.surveyed(api, wished)
    expires = datetime.now(UTC) + DAY
    return creation.create(api, found, expires=expires, folder=folder, progress=Silent())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubeconfigs")


@pytest.fixture(scope="module")
def made(cluster: Cluster, folder: Path) -> Iterator[creation.Made]:
    yield make(cluster.api, plan("ana", "bob"), folder)
    deletion.delete(cluster.api, NAME, progress=Silent())
    assert not _named(cluster.api, NAME)


@pytest.fixture(scope="module")
def student(made: creation.Made, folder: Path) -> Iterator[ApiSession]:
    """Ana's session, once the policy counts."""
    session = ApiSession(folder / "ana.kubeconfig")
    marked = _config_map(OWN_POOL, {"k8s-helpers/class": NAME})
    assert wait_until(lambda: not _taken(session, marked), 30)
    yield session
    session.close()


def _named(api: ApiSession, name: str) -> list[str]:
    """Return the namespaces and cluster-wide objects of a class that are there."""
    query = {"labelSelector": f"k8s-helpers/class={name}"}
    root = f"/apis/{objects.POLICY_API}"
    paths = ("/api/v1/namespaces", *(f"{root}/{kind}" for kind in deletion.KINDS))
    return [
        item["metadata"]["name"]
        for path in paths
        for item in api.request("GET", path, query=query)["items"]
    ]


def _config_map(namespace: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    metadata = {"name": "essai", "namespace": namespace, "labels": dict(labels or {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _taken(api: ApiSession, item: Mapping[str, Any]) -> bool:
    """Return whether the server would take an object (`dryRun`)."""
    path = f"/api/v1/namespaces/{item['metadata']['namespace']}/configmaps"
    with ignoring(403, 422):
        api.request("POST", path, query={"dryRun": "All"}, body=item)
        return True
    return False


# --- every resource and verb of the API


def _resources(api: ApiSession) -> set[tuple[str, str]]:
    """Return every resource and subresource that the cluster serves, as (group, name)."""
    found = set()
    for root in ("/api", "/apis"):
        for group in api.request("GET", root, accept=AGGREGATED)["items"]:
            name = group["metadata"].get("name", "")
            for resource in (
                item for version in group["versions"] for item in version["resources"]
            ):
                plural = resource["resource"]
                found.add((name, plural))
                found |= {
                    (name, f"{plural}/{part['subresource']}")
                    for part in resource.get("subresources", ())
                }
    return found


def _may(api: ApiSession, namespace: str, triple: Triple) -> bool:
    group, resource, verb = triple
    plain, _, part = resource.partition("/")
    attributes = {
        "namespace": namespace,
        "group": group,
        "resource": plain,
        "subresource": part,
        "verb": verb,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(api.request("POST", REVIEWS, body=review)["status"]["allowed"])


MISSPELT = ("", "pod")
"""What the Role of the exercise 16-tableau-vide names, for which RBAC wants whoever applies it to have it."""

OF_EVERYBODY = {
    ("authentication.k8s.io", "selfsubjectreviews", "create"),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "create"),
    ("authorization.k8s.io", "selfsubjectrulesreviews", "create"),
} | {("certificates.k8s.io", "clustertrustbundles", verb) for verb in rights.READ}
"""What Kubernetes lets every account do: ask about itself, and read public certificates.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
"""


@pytest.mark.parametrize(
    ("namespace", "role"), [(OWN_POOL, POOL), (OWN_HOME, HOME), (OTHER_POOL, None), ("", None)]
)
def test_a_student_may_do_what_the_table_says_and_nothing_else(
    student: ApiSession, namespace: str, role: str | None
) -> None:
    served = _resources(student)
    assert len(served) > 100
    triples = [
        (*resource, verb) for resource, verb in itertools.product(sorted(served), VERBS + SPECIAL)
    ]
    with ThreadPoolExecutor(8) as executor:
        answers = executor.map(lambda triple: _may(student, namespace, triple), triples)
        allowed = {triple for triple, may in zip(triples, answers, strict=True) if may}
    expected = rights.granted(role) if role else frozenset()
    served_rights = {triple for triple in expected if triple[:2] in served}
    assert allowed - OF_EVERYBODY == served_rights
    absent = {triple[:2] for triple in expected} - served
    assert MISSPELT not in served, (
        "no resource has the name that an exercise gives to be found wrong"
    )
    assert absent <= {("metrics.k8s.io", "pods"), MISSPELT}, absent


@pytest.mark.parametrize("namespace", ["", OTHER_HOME, OTHER_POOL, "default", "kube-system"])
def test_the_server_names_no_other_rule(student: ApiSession, namespace: str) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace or "personne"},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = student.request("POST", path, body=review)["status"]
    assert not status["incomplete"]
    rules = {
        (group, resource, verb)
        for rule in status["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert rules <= OF_EVERYBODY
    urls = {url for rule in status["nonResourceRules"] for url in rule["nonResourceURLs"]}
    assert all(
        url.startswith(
            ("/api", "/openapi", "/openid", "/version", "/healthz", "/livez", "/readyz", "/.well")
        )
        for url in urls
    ), urls
    verbs = {verb for rule in status["nonResourceRules"] for verb in rule["verbs"]}
    assert verbs <= {"get"}


def test_lists_of_others_and_of_the_cluster_are_refused_for_each_kind(
    student: ApiSession, cluster: Cluster
) -> None:
    paths = {
        kind.path(namespace)
        for kind in discover(cluster.api)
        if "list" in kind.verbs
        for namespace in ((OTHER_POOL, OTHER_HOME, "kube-system") if kind.namespaced else ("x",))
    }
    assert len(paths) > 80
    with ThreadPoolExecutor(8) as executor:
        answers = dict(
            zip(paths, executor.map(lambda path: _code(student, path), paths), strict=True)
        )
    answered = {path.rpartition("/")[2] for path, code in answers.items() if code != 403}
    assert answered <= {resource for _, resource, _ in OF_EVERYBODY}, answers


def _code(api: ApiSession, path: str) -> int:
    try:
        api.request("GET", path)
    except ApiStatusError as error:
        return error.code
    return 200


# --- ways out that were tried


def _account(namespace: str, name: str = "default") -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def _binding(role: str, kind: str = "ClusterRole") -> dict[str, Any]:
    return {
        "apiVersion": f"{rights.RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "evasion"},
        "roleRef": {"apiGroup": rights.RBAC, "kind": kind, "name": role},
        "subjects": [_account(OWN_HOME, "student")],
    }


def _role(*rules: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{rights.RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "evasion"},
        "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
            for group, resource, verb in rules
        ],
    }


def _pod(container: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "evasion"},
        "spec": {"containers": [{"name": "c", "image": "x", **(container or {})}], **spec},
    }


def _token(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


POD, ROLE_PATH = f"/api/v1/namespaces/{OWN_POOL}", f"/apis/{rights.RBAC}/v1/namespaces/{OWN_POOL}"
CORE = "/api/v1/namespaces"
FORBIDDEN: Mapping[str, tuple[str, str, Any]] = {
    "another's secrets": ("GET", f"{CORE}/{OTHER_POOL}/secrets", None),
    "another's ConfigMap": ("GET", f"{CORE}/{OTHER_HOME}/configmaps/k8s-helpers-class", None),
    "another's pods": ("GET", f"{CORE}/{OTHER_POOL}/pods", None),
    "another's events": ("GET", f"{CORE}/{OTHER_POOL}/events", None),
    "another's namespace": ("GET", f"{CORE}/{OTHER_POOL}", None),
    "a pod at another's": ("POST", f"{CORE}/{OTHER_POOL}/pods", _pod()),
    "exec in another's pod": ("POST", f"{CORE}/{OTHER_POOL}/pods/x/exec?command=ls", None),
    "another's logs": ("GET", f"{CORE}/{OTHER_POOL}/pods/x/log", None),
    "another's Service by the proxy": ("GET", f"{CORE}/{OTHER_POOL}/services/x/proxy/", None),
    "another's token": (
        "POST",
        f"{CORE}/{OTHER_HOME}/serviceaccounts/student/token",
        _token(),
    ),
    "own token for longer": ("POST", f"{CORE}/{OWN_HOME}/serviceaccounts/student/token", _token()),
    "a token of the system": (
        "POST",
        f"{CORE}/kube-system/serviceaccounts/generic-garbage-collector/token",
        _token(),
    ),
    "all namespaces": ("GET", CORE, None),
    "all pods": ("GET", "/api/v1/pods", None),
    "all secrets": ("GET", "/api/v1/secrets", None),
    "all events": ("GET", "/api/v1/events", None),
    "nodes": ("GET", "/api/v1/nodes", None),
    "a namespace": (
        "POST",
        CORE,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "evasion"}},
    ),
    "own namespace deleted": ("DELETE", f"{CORE}/{OWN_POOL}", None),
    "own namespace privileged": (
        "PATCH",
        f"{CORE}/{OWN_POOL}",
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
    ),
    "cluster-admin in the own namespace": (
        "POST",
        f"{ROLE_PATH}/rolebindings",
        _binding("cluster-admin"),
    ),
    "admin in the own namespace": ("POST", f"{ROLE_PATH}/rolebindings", _binding("admin")),
    "edit in the own namespace": ("POST", f"{ROLE_PATH}/rolebindings", _binding("edit")),
    "cluster-admin everywhere": (
        "POST",
        f"/apis/{rights.RBAC}/v1/clusterrolebindings",
        {**_binding("cluster-admin"), "kind": "ClusterRoleBinding"},
    ),
    "a Role with all": ("POST", f"{ROLE_PATH}/roles", _role(("*", "*", "*"))),
    "a Role that escalates": (
        "POST",
        f"{ROLE_PATH}/roles",
        _role((rights.RBAC, "roles", "escalate")),
    ),
    "a Role that labels namespaces": (
        "POST",
        f"{ROLE_PATH}/roles",
        _role(("", "namespaces", "patch")),
    ),
    "a privileged pod": (
        "POST",
        f"{POD}/pods",
        _pod({"securityContext": {"privileged": True}}),
    ),
    "a folder of the node": (
        "POST",
        f"{POD}/pods",
        _pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
    ),
    "the node's network": ("POST", f"{POD}/pods", _pod(hostNetwork=True)),
    "the node's processes": ("POST", f"{POD}/pods", _pod(hostPID=True)),
    "a port of the node": (
        "POST",
        f"{POD}/pods",
        _pod({"ports": [{"containerPort": 80, "hostPort": 80}]}),
    ),
    "a capability": (
        "POST",
        f"{POD}/pods",
        _pod({"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}),
    ),
    "a pod before everybody": (
        "POST",
        f"{POD}/pods",
        _pod(priorityClassName="system-cluster-critical"),
    ),
    "an account in the home": (
        "POST",
        f"{CORE}/{OWN_HOME}/serviceaccounts",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "evasion"}},
    ),
    "traffic of an address": (
        "POST",
        f"{POD}/services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "evasion"},
            "spec": {"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]},
        },
    ),
    "a certificate approved": (
        "PATCH",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval",
        {"status": {}},
    ),
    "a volume of the cluster": (
        "POST",
        "/api/v1/persistentvolumes",
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "evasion"}},
    ),
    "the class's quota deleted": (
        "DELETE",
        f"{POD}/resourcequotas/k8s-helpers-class",
        None,
    ),
    "the class's quotas emptied": ("DELETE", f"{POD}/resourcequotas", None),
    "the class's quota raised": (
        "PATCH",
        f"{POD}/resourcequotas/k8s-helpers-class",
        {"spec": {"hard": {"pods": "1000"}}},
    ),
    "the class's quota without its label": (
        "PATCH",
        f"{POD}/resourcequotas/k8s-helpers-class",
        {"metadata": {"labels": None}},
    ),
    "the class's limits deleted": ("DELETE", f"{POD}/limitranges/k8s-helpers-class", None),
    "the class's Role deleted": ("DELETE", f"{ROLE_PATH}/roles/k8s-helpers-class", None),
    "the class's RoleBinding shared": (
        "PATCH",
        f"{ROLE_PATH}/rolebindings/k8s-helpers-class",
        {"subjects": [_account(OTHER_HOME, "student")]},
    ),
    "the class's wall deleted": (
        "DELETE",
        f"/apis/networking.k8s.io/v1/namespaces/{OWN_POOL}/networkpolicies/k8s-helpers-class",
        None,
    ),
    "another pool in the own ConfigMap": (
        "PATCH",
        f"{CORE}/{OWN_HOME}/configmaps/k8s-helpers-class",
        {"data": {"namespaces": OTHER_POOL}},
    ),
    "what looks like the class's": (
        "POST",
        f"{POD}/configmaps",
        _config_map(OWN_POOL, {"k8s-helpers/class": NAME}),
    ),
    "the policy": (
        "DELETE",
        f"/apis/{objects.POLICY_API}/validatingadmissionpolicies/k8s-helpers-class-{NAME}",
        None,
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_way_leads_out_of_the_pool(student: ApiSession, what: str) -> None:
    method, path, body = FORBIDDEN[what]
    path, _, query = path.partition("?")
    kind = MERGE_PATCH if method == "PATCH" else "application/json"
    asked = {"dryRun": "All", **dict([query.split("=")] if query else [])}
    with pytest.raises(ApiStatusError) as error:
        student.request(
            method,
            path,
            query=None if method == "GET" else asked,
            body=body,
            content_type=kind,
        )
    assert error.value.code == 403, error.value


@pytest.mark.parametrize(
    "user",
    [
        "system:admin",
        "system:kube-controller-manager",
        f"system:serviceaccount:{OTHER_HOME}:student",
        f"system:serviceaccount:{OWN_HOME}:student",
    ],
)
def test_a_student_is_nobody_else(student: ApiSession, user: str) -> None:
    with pytest.raises(ApiStatusError) as error:
        student.acting_as(user).request("GET", f"{CORE}/{OTHER_POOL}/pods")
    assert error.value.code == 403


def test_an_account_of_the_pool_has_its_students_limits(
    student: ApiSession, cluster: Cluster
) -> None:
    """Whom a student makes and gives all own rights meets the same policy."""
    account = _account(OWN_POOL)
    binding = {**_binding(rights.ROLE, "Role"), "subjects": [account]}
    student.request("POST", f"{ROLE_PATH}/rolebindings", body=binding)
    acting = student.acting_as(f"system:serviceaccount:{OWN_POOL}:default")
    assert wait_until(lambda: _code(acting, f"{POD}/pods") == 200, 20)
    with pytest.raises(ApiStatusError, match="enseignant"):
        acting.request("DELETE", f"{POD}/resourcequotas/k8s-helpers-class")
    assert _code(acting, f"{CORE}/{OTHER_POOL}/pods") == 403
    student.request("DELETE", f"{ROLE_PATH}/rolebindings/evasion")


def test_a_student_may_let_an_account_read(student: ApiSession) -> None:
    path = f"{ROLE_PATH}/rolebindings"
    student.request("POST", path, query={"dryRun": "All"}, body=_binding("view"))


def test_a_student_works_and_empties_the_pool(student: ApiSession) -> None:
    path = f"{POD}/configmaps"
    student.request("POST", path, body=_config_map(OWN_POOL))
    unmarked = {"labelSelector": "!k8s-helpers/class"}
    student.request("DELETE", path, query=unmarked)
    for kind in ("resourcequotas", "limitranges"):
        student.request("DELETE", f"{POD}/{kind}", query=unmarked)
        (*_, kept) = student.request("GET", f"{POD}/{kind}")["items"]
        assert kept["metadata"]["name"].startswith("k8s-helpers-class")


# --- the network

_SERVE = "python3 -m http.server 8000 --directory /tmp"
_ASK = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=2).status)
except OSError as error:
    print(type(getattr(error, "reason", error)).__name__)
"""


def _runs(api: ApiSession, namespace: str, name: str, command: str) -> None:
    container = {"image": live.IMAGE, "command": ["sh", "-c", command]}
    plain = _pod(container, terminationGracePeriodSeconds=0)  # the class's end waits for it
    plain["metadata"] = {"name": name, "labels": {"app": name}}
    api.request("POST", f"{CORE}/{namespace}/pods", body=plain)


def test_pods_of_one_student_meet_each_other_and_no_others(
    cluster: Cluster, student: ApiSession, folder: Path
) -> None:
    config = ClusterConfig.load(cluster.kubeconfig.parent)
    bob = ApiSession(folder / "bob.kubeconfig")
    _runs(student, OWN_POOL, "web", _SERVE)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8000}]},
    }
    student.request("POST", f"{POD}/services", body=service)
    for session, namespace in ((student, OWN_HOME), (bob, OTHER_POOL)):
        _runs(session, namespace, "client", "sleep 300")
    bob.close()

    def said(namespace: str) -> str:
        url = f"http://web.{OWN_POOL}.svc.cluster.local:8000/"
        words = ["-n", namespace, "exec", "client", "--", "python3", "-c", _ASK, url]
        try:
            return cluster.kubectl(words).stdout.strip()
        except CommandError:
            return ""

    assert wait_until(lambda: said(OWN_HOME) == "200", 60)
    assert student.text(f"{POD}/services/web:8000/proxy/")
    if config.network == "host" or shutil.which("nft", path=PROGRAMS) is None:
        return  # no NetworkPolicy counts here: test_node_network.py has the words for it
    assert wait_until(lambda: said(OTHER_POOL) == "TimeoutError", 60), said(OTHER_POOL)


# --- checked


@pytest.fixture
def checked(
    cluster: Cluster, environment: os._Environ[str], tmp_path: Path
) -> Iterator[tuple[ApiSession, Path]]:
    """A class of five, whose nodes have the image, and its kubeconfigs."""
    images.ensure(cluster, "vitrine", "v1", Silent())
    environment["K8S_HELPERS_IMAGE_PREFIX"] = ""
    make(cluster.api, plan("ana", "bob", "eve", "leo", "zoe", name="controle"), tmp_path)
    yield cluster.api, tmp_path
    deletion.delete(cluster.api, "controle", progress=Silent())
    assert not _named(cluster.api, "controle")


def test_a_check_says_who_cannot_work_and_why(checked: tuple[ApiSession, Path]) -> None:
    api, folder = checked
    before = dict(os.environ)
    expired = yaml.safe_load((folder / "bob.kubeconfig").read_text())
    expired["users"][0]["user"]["token"] = "faux"
    (folder / "bob.kubeconfig").write_text(yaml.safe_dump(expired))
    (folder / "eve.kubeconfig").unlink()
    full = {"spec": {"hard": {"pods": "0"}}}
    _patch(api, f"{CORE}/controle-leo-1/resourcequotas/k8s-helpers-class", full)
    elsewhere = {"data": {"image-prefix": "127.0.0.1:1/rien/"}}
    _patch(api, f"{CORE}/controle-zoe/configmaps/k8s-helpers-class", elsewhere)
    students = ("ana", "bob", "eve", "leo", "zoe")
    seen = checking.check(students, "controle", folder, Silent(), at_once=5)
    assert [item.student for item in seen if item.works] == ["ana"]
    errors = {item.student: str(item.error) for item in seen if not item.works}
    for student, why in (
        ("bob", "identité"),
        ("eve", "n’en a pas"),
        ("leo", "exceeded quota"),
        ("zoe", "127.0.0.1:1/rien/"),
    ):
        assert why in errors[student]
    assert checking.table(seen).splitlines()[-1].startswith("ana")
    assert any("class renew --student bob" in line for line in checking.advice(seen))
    assert dict(os.environ) == before
    for student in students:
        left = api.request("GET", f"{CORE}/controle-{student}-1/pods")["items"]
        assert all("deletionTimestamp" in item["metadata"] for item in left)


def _patch(api: ApiSession, path: str, body: Mapping[str, Any]) -> None:
    api.request("PATCH", path, body=body, content_type=MERGE_PATCH)


# --- made, made again, deleted


def test_every_kubeconfig_is_its_owners_alone_and_leads_home(
    made: creation.Made, folder: Path
) -> None:
    assert [access.student for access in made.credentials] == ["ana", "bob"]
    for access in made.credentials:
        assert stat.S_IMODE(access.path.stat().st_mode) == 0o600
        plain = yaml.safe_load(access.path.read_text())
        assert plain["contexts"][0]["context"]["namespace"] == f"{NAME}-{access.student}"
        assert not access.shortened
        assert abs(access.expires - datetime.now(UTC) - DAY) < timedelta(minutes=10)


def test_a_students_program_finds_its_pool(student: ApiSession) -> None:
    config = student.request("GET", f"{CORE}/{OWN_HOME}/configmaps/k8s-helpers-class")
    enrolment = Enrolment.parse(config["data"])
    assert (enrolment.student, enrolment.namespaces) == ("ana", (OWN_POOL,))
    assert enrolment.server_version_tested.startswith("v1.")


def test_making_it_again_changes_nothing_but_tokens(
    cluster: Cluster, made: creation.Made, folder: Path
) -> None:
    before, token = _versions(cluster.api), (folder / "ana.kubeconfig").read_bytes()
    make(cluster.api, plan("ana", "bob"), folder)
    assert _versions(cluster.api) == before
    assert (folder / "ana.kubeconfig").read_bytes() != token


def _versions(api: ApiSession) -> dict[str, str]:
    kinds = Kinds(api)
    found = {}
    for item in objects.of_all(plan("ana", "bob")):
        if item["kind"] not in ("Namespace", "ResourceQuota"):  # written by others too
            metadata = item["metadata"]
            path = kinds.of(item).path(metadata.get("namespace", ""), metadata["name"])
            found[path] = api.request("GET", path)["metadata"]["resourceVersion"]
    return found


def test_who_left_the_list_is_named_and_left_alone(
    cluster: Cluster, made: creation.Made, folder: Path
) -> None:
    assert make(cluster.api, plan("ana"), folder).others == ("bob",)
    assert len(_named(cluster.api, NAME)) == 6


def test_the_server_judges_a_class_without_making_it(cluster: Cluster) -> None:
    wished = creation.surveyed(cluster.api, plan("zoe", name="jamais"))
    assert creation.rehearse(cluster.api, wished, Silent()) == len(objects.of_all(wished))
    assert not _named(cluster.api, "jamais")


def test_kustomize_gives_the_same_objects(tmp_path: Path) -> None:
    from embedded_kubernetes.programs import binaries

    wished = plan("ana", "bob", hub_namespace="hub")
    kustomize.write(wished, tmp_path / "classe")
    program = binaries.ensure(Silent()).folder / "kubectl"
    built = subprocess.run(
        [program, "kustomize", tmp_path / "classe"], capture_output=True, check=True, env=os.environ
    )
    given = list(yaml.safe_load_all(built.stdout))
    assert sorted(map(_sorted, given)) == sorted(map(_sorted, objects.of_all(wished)))


def _sorted(item: Mapping[str, Any]) -> str:
    return json.dumps(item, sort_keys=True)


@pytest.fixture
def stranger(cluster: Cluster) -> Iterator[str]:
    name = "autre-zoe-1"
    cluster.api.request("POST", CORE, body=_namespace(name, {}))
    yield name
    cluster.api.request("DELETE", f"{CORE}/{name}")


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def test_a_name_that_belongs_to_somebody_stops_all_before_it_begins(
    cluster: Cluster, stranger: str, tmp_path: Path
) -> None:
    with pytest.raises(ApiRefusedError, match=f"« {stranger} »") as error:
        make(cluster.api, plan("ana", "zoe", name="autre"), tmp_path)
    assert "rien n’a été touché" in error.value.advice
    assert not _named(cluster.api, "autre") and not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="n’existe pas, ou plus"):
        deletion.delete(cluster.api, "autre", progress=Silent())
    label = {"metadata": {"labels": {"k8s-helpers/class": "autre"}}}
    cluster.api.request("PATCH", f"{CORE}/{stranger}", body=label, content_type=MERGE_PATCH)
    with pytest.raises(ApiRefusedError, match="ne l’a pas créé"):
        deletion.delete(cluster.api, "autre", progress=Silent())
    assert "deletionTimestamp" not in cluster.api.request("GET", f"{CORE}/{stranger}")["metadata"]


TEACHER = "system:serviceaccount:default:enseignante"


@pytest.fixture
def teacher(cluster: Cluster) -> Iterator[ApiSession]:
    """Somebody who has the rights that the documentation asks for, and no others."""
    role = rights.teacher_cluster_role("petite")
    root = f"/apis/{rights.RBAC}/v1"
    name = role["metadata"]["name"]
    binding = {
        "apiVersion": f"{rights.RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": rights.RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [_account("default", "enseignante")],
    }
    cluster.api.request("POST", f"{root}/clusterroles", body=role)
    cluster.api.request("POST", f"{root}/clusterrolebindings", body=binding)
    acting = cluster.api.acting_as(TEACHER)
    assert wait_until(lambda: _code(acting, CORE) == 200, 20)
    yield acting
    for kind in ("clusterrolebindings", "clusterroles"):
        cluster.api.request("DELETE", f"{root}/{kind}/{name}")


def test_a_teacher_with_the_rights_asked_for_makes_and_deletes_a_class(
    cluster: Cluster, teacher: ApiSession, tmp_path: Path
) -> None:
    assert _code(teacher, "/apis/apps/v1/deployments") == 200
    assert _code(teacher, f"/apis/{rights.RBAC}/v1/clusterroles") == 403
    nobody = cluster.api.acting_as("system:serviceaccount:default:personne")
    with pytest.raises(ApiRefusedError, match=r"créer des namespaces .* pour tout le cluster"):
        make(nobody, plan("ana", name="petite"), tmp_path)
    made = make(teacher, plan("ana", "bob", "zoe", name="petite"), tmp_path)
    assert len(made.credentials) == 3
    hers = ApiSession(tmp_path / "zoe.kubeconfig")
    assert _code(hers, f"{CORE}/petite-zoe-1/pods") == 200
    with pytest.raises(UsageError, match="Elle a : ana, bob, zoe"):
        deletion.delete(teacher, "petite", student="zo", progress=Silent())
    gone = deletion.delete(teacher, "petite", student="zoe", folder=tmp_path, progress=Silent())
    assert gone.namespaces == ("petite-zoe", "petite-zoe-1") and not gone.others
    assert [path.name for path in gone.files] == ["zoe.kubeconfig"]
    with pytest.raises(ApiStatusError) as error:
        hers.request("GET", f"{CORE}/petite-zoe-1/pods")
    assert error.value.code in (401, 403)  # what is known of a token is kept for seconds
    hers.close()
    gone = deletion.delete(teacher, "petite", folder=tmp_path, progress=Silent())
    assert len(gone.namespaces) == 4 and len(gone.others) == 2 and len(gone.files) == 2
    assert not _named(cluster.api, "petite") and not list(tmp_path.iterdir())


def test_what_holds_a_namespace_back_is_said_and_then_finished(
    cluster: Cluster, tmp_path: Path
) -> None:
    make(cluster.api, plan("ana", name="tenace", policy=False), tmp_path)
    held = _config_map("tenace-ana-1")
    held["metadata"]["finalizers"] = ["exemple.fr/retenu"]
    cluster.api.request("POST", f"{CORE}/tenace-ana-1/configmaps", body=held)
    with pytest.raises(WaitTimeoutError, match=r"« tenace-ana-1 ».*exemple.fr/retenu"):
        deletion.delete(cluster.api, "tenace", progress=Silent(), timeout_s=9)
    body = {"metadata": {"finalizers": None}}
    path = f"{CORE}/tenace-ana-1/configmaps/essai"
    cluster.api.request("PATCH", path, body=body, content_type=MERGE_PATCH)
    deletion.delete(cluster.api, "tenace", progress=Silent())
    assert not _named(cluster.api, "tenace")
