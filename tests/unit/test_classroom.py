"""A class on one cluster: its list, what is made for it, and what its students may do. Pure."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from k8s_helpers._errors import K8sHelpersError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.classroom import credentials, kustomize, objects, rights, roster
from k8s_helpers.classroom.concurrency import for_each, reasons
from k8s_helpers.classroom.objects import ClassPlan
from k8s_helpers.classroom.roster import Member
from k8s_helpers.kube.classes import CLASS_LABEL, HOME, MANAGED_BY, POOL, Enrolment
from k8s_helpers.kube.kubeconfig import Access

ROOT = Path(__file__).parents[2]
MOODLE = (
    "Prénom,Nom de famille,Numéro d’identification,Adresse de courriel\r\n"
    "Zoé,D’Arc,22101,zoe.darc@univ.fr\r\n\r\n"
    '"Jean-Baptiste","Œuvrard, fils",,\r\n'
)
PRONOTE = "Élève;Classe;Date de naissance\nMARTIN Alice;R509;01/02/2006\n;;\nDURAND Bob;R509;\n"
ENGLISH = "First name\tLast name\tID number\nAlice\tMartin\t7\n"


def ids(text: str, namespaces: int = 6) -> list[str]:
    return [student.id for student in roster.parse(text, "r509", namespaces, "liste.csv")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MOODLE, ["zoe-d-arc", "jean-baptiste-oeuvrard-fils"]),
        (PRONOTE, ["martin-alice", "durand-bob"]),
        (ENGLISH, ["alice-martin"]),
        ("Nom;Prénom;identifiant\nMartin;Alice;am1\nMartin;Alice;am2\n", ["am1", "am2"]),
        ("login\nbob\n", ["bob"]),
        ("courriel\nzoe.d@univ.fr\n", ["zoe-d"]),
        ("nom\n名\n", None),
    ],
)
def test_a_list_becomes_dns_labels(text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(UsageError, match="ligne 2 : aucun nom"):
            ids(text)
    else:
        assert ids(text) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_in_the_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "liste.csv"
    file.write_bytes("Prénom;Nom\r\nZoé;Élan\r\n".encode(encoding))
    (student,) = roster.read(file, "r509", 6)
    assert student == Member("zoe-elan", "Zoé Élan", 2)


def test_lines_are_those_of_the_file() -> None:
    students = roster.parse(MOODLE, "r509", 6, "liste.csv")
    assert [student.line for student in students] == [2, 4]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "la liste est vide"),
        ("Nom;Prénom\n", "aucun étudiant"),
        ("Note;Groupe\n12;A\n", "aucune colonne connue : Note, Groupe"),
        (
            "Nom;Prénom\nMartin;Alice\nDurand;Bob\nMARTIN;Alicé\n",
            "lignes 2 et 4 : « Alice Martin » et « Alicé MARTIN »",
        ),
        ("identifiant\nana\nana-1\n", "lignes 2 et 3 : .* l’espace de noms « r509-ana-1 »"),
        (f"identifiant\n{'a' * 57}\n", "ligne 2 : .* aurait 64 caractères"),
    ],
)
def test_a_list_that_names_nobody_or_two_at_once_is_refused(text: str, found: str) -> None:
    with pytest.raises(UsageError, match=found) as error:
        ids(text)
    assert "liste.csv" in error.value.tried and error.value.advice


def test_the_longest_name_that_fits_is_taken() -> None:
    assert ids(f"identifiant\n{'a' * 56}\n") == ["a" * 56]
    with pytest.raises(UsageError, match="64 caractères"):
        ids(f"identifiant\n{'a' * 56}\n", namespaces=10)


def test_every_fault_of_a_list_is_said_at_once() -> None:
    with pytest.raises(UsageError) as error:
        ids("Nom\nA\nA\n\u4e00\nB\nB\n")
    assert [line in error.value.found for line in ("2 et 3", "ligne 4", "5 et 6")] == [True] * 3


@pytest.mark.parametrize("name", ["", "R509", "é", "-a", "a_b"])
def test_a_class_is_named_by_a_label(name: str) -> None:
    with pytest.raises(UsageError):
        roster.require_label(name, "la classe")


# --- what is made


STUDENTS = (Member("ana", "Ana"), Member("bob", "Bob"))


def plan(**options: Any) -> ClassPlan:
    return ClassPlan("r509", STUDENTS, 3, pod_ranges=("10.244.0.0/16",), **options)


def test_each_object_is_labelled_and_comes_after_its_namespace() -> None:
    made = objects.of_all(plan(hub_namespace="hub"))
    seen = {"hub"}
    for item in made:
        metadata = item["metadata"]
        assert (MANAGED_BY | {CLASS_LABEL: "r509"}).items() <= metadata["labels"].items()
        if item["kind"] == "Namespace":
            seen.add(metadata["name"])
        assert metadata.get("namespace", "hub") in seen, metadata
    keys = [
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in made
    ]
    assert len(set(keys)) == len(keys)
    assert sorted(seen - {"hub"}) == sorted(
        name for student in STUDENTS for name in plan().namespaces_of(student)
    )


def test_every_namespace_has_its_limits_rights_and_walls() -> None:
    made = objects.of_all(plan())
    namespaces = [item["metadata"] for item in made if item["kind"] == "Namespace"]
    assert len(namespaces) == 8
    for metadata in namespaces:
        inside = {
            item["kind"] for item in made if item["metadata"].get("namespace") == metadata["name"]
        }
        assert {"Role", "RoleBinding", "ResourceQuota", "LimitRange", "NetworkPolicy"} <= inside
        assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"


def test_a_students_program_reads_what_the_class_wrote() -> None:
    chosen = plan(images={"vitrine:v1": "r.fr/v@sha256:0"}, share_progress=False)
    (data,) = (
        item["data"]
        for item in objects.of_student(chosen, STUDENTS[0])
        if item["kind"] == "ConfigMap"
    )
    enrolment = Enrolment.parse(data)
    assert enrolment.namespaces == ("r509-ana-1", "r509-ana-2", "r509-ana-3")
    assert (enrolment.images, enrolment.share_progress) == (chosen.images, False)


def test_only_the_policy_is_cluster_wide_and_can_be_left_out() -> None:
    def wide(chosen: ClassPlan) -> set[str]:
        made = objects.of_all(chosen)
        return {item["kind"] for item in made if "namespace" not in item["metadata"]}

    assert wide(plan(policy=False)) == {"Namespace"}
    assert wide(plan()) - {"Namespace"} == {
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }


def test_without_a_policy_a_quota_cannot_be_written() -> None:
    quotas = {("", "resourcequotas", verb) for verb in rights.ALL}
    assert quotas <= rights.granted(POOL)
    left = quotas & rights.granted(POOL, policy=False)
    assert left == {("", "resourcequotas", verb) for verb in rights.READ}


def test_a_home_is_not_a_place_to_work() -> None:
    forbidden = {("", "secrets", "get"), ("", "configmaps", "patch"), ("", "configmaps", "delete")}
    assert forbidden.isdisjoint(rights.granted(HOME))
    assert not any(group == rights.RBAC for group, _, _ in rights.granted(HOME))


def test_nothing_leads_out_of_a_namespace() -> None:
    """A rule that names more than it grants, or one that grants what changes rights or nodes, is not in the table."""
    for right in itertools.chain(rights.POOL_RIGHTS, rights.HOME_RIGHTS):
        assert "*" not in (*right.resources, *right.verbs, right.group)
        assert {"escalate", "approve", "sign"}.isdisjoint(right.verbs)
        if "bind" in right.verbs:
            assert right.names == ("view",)
        if "impersonate" in right.verbs:
            assert right.resources == ("serviceaccounts",)
        assert right.reason


def test_the_teacher_is_asked_for_all_that_is_given_away() -> None:
    role = rights.teacher_cluster_role("r509")
    held = {
        (rule["apiGroups"][0], resource, verb)
        for rule in role["rules"]
        if "resourceNames" not in rule
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert rights.granted(POOL) | rights.granted(HOME) <= held


def test_the_document_has_the_table_of_rights() -> None:
    text = (ROOT / "docs" / "classe.md").read_text(encoding="utf-8")
    for table in (rights.POOL_RIGHTS, rights.HOME_RIGHTS, rights.TEACHER_RIGHTS):
        assert rights.to_markdown(table) in text


def test_strict_quotas_give_something_to_containers_that_declare_nothing() -> None:
    def limits(chosen: ClassPlan) -> list[str]:
        made = objects.of_student(chosen, STUDENTS[0])
        (found,) = (
            item["spec"]["limits"]
            for item in made
            if item["kind"] == "LimitRange" and item["metadata"]["namespace"] == "r509-ana-1"
        )
        return [limit["type"] for limit in found]

    assert limits(plan()) == ["PersistentVolumeClaim"]
    assert limits(plan(quota="strict")) == ["PersistentVolumeClaim", "Container"]


def test_other_students_pods_are_in_no_peer_of_a_network_policy() -> None:
    made = objects.of_student(plan(), STUDENTS[0])
    for spec in (item["spec"] for item in made if item["kind"] == "NetworkPolicy"):
        (ingress,) = spec["ingress"]
        for peer in ingress["from"]:
            if "ipBlock" in peer:
                assert peer["ipBlock"]["except"] == ["10.244.0.0/16"]
            else:
                assert not _selects(peer["namespaceSelector"], {CLASS_LABEL: "r509"} | OTHER)


OTHER = {"k8s-helpers/student": "bob"}


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    absent = [
        item["key"]
        for item in selector.get("matchExpressions", ())
        if item["operator"] == "DoesNotExist"
    ]
    return wanted.items() <= labels.items() and not any(key in labels for key in absent)


def test_the_kustomization_names_every_file_that_it_has() -> None:
    texts = kustomize.files(plan())
    named = set(_named(texts, ""))
    assert named == {name for name in texts if not name.endswith("kustomization.yaml")}
    written = [item for name in sorted(named) for item in yaml.safe_load_all(texts[name])]
    assert sorted(map(str, written)) == sorted(map(str, objects.of_all(plan())))
    assert not any("&id" in text or "*id" in text for text in texts.values())


def _named(texts: dict[str, str], folder: str) -> Iterator[str]:
    for name in yaml.safe_load(texts[f"{folder}kustomization.yaml"])["resources"]:
        if name.endswith(".yaml"):
            yield f"{folder}{name}"
        else:
            yield from _named(texts, f"{folder}{name}/")


def test_a_kustomization_is_not_written_over_another(tmp_path: Path) -> None:
    assert kustomize.write(plan(), tmp_path / "neuf") == len(objects.of_all(plan()))
    with pytest.raises(UsageError, match="déjà quelque chose"):
        kustomize.write(plan(), tmp_path / "neuf")


# --- kubeconfigs and work for many


NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def test_tokens_end_with_the_last_day() -> None:
    until = datetime(2027, 2, 1)
    assert credentials.end(until, 1, NOW) == datetime(2027, 2, 2).astimezone()
    assert credentials.end(None, 2, NOW) == NOW + timedelta(days=2)
    for over in (datetime(2026, 8, 30), None):
        with pytest.raises(UsageError, match="passé"):
            credentials.end(over, 0, NOW)


def test_a_server_that_grants_less_is_noticed() -> None:
    def granted(expires: datetime) -> bool:
        return credentials.StudentAccess("ana", Path("x"), NOW, expires).shortened

    assert [granted(NOW - timedelta(minutes=minutes)) for minutes in (0, 1, 60)] == [
        False,
        False,
        True,
    ]


def access(**options: Any) -> Access:
    given = {"path": Path("x"), "context": "c", "server": "https://a:6443", "tls": None}
    return Access(**cast(Any, {**given, "identity": SimpleNamespace(), **options}))


def test_a_students_kubeconfig_says_where_as_the_teachers_does() -> None:
    plain = credentials.kubeconfig(access(ca_pem=b"PEM", server_hostname="k"), "r509", "ana", "T")
    assert plain["clusters"][0]["cluster"] == {
        "server": "https://a:6443",
        "certificate-authority-data": "UEVN",
        "tls-server-name": "k",
    }
    assert plain["contexts"][0]["context"]["namespace"] == "r509-ana"
    assert plain["users"][0]["user"] == {"token": "T"}
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    other = credentials.kubeconfig(access(tls=trusting), "r509", "ana", "T", "https://b/")
    assert other["clusters"][0]["cluster"] == {
        "server": "https://b",
        "insecure-skip-tls-verify": True,
    }


def test_one_failure_does_not_end_the_others_work() -> None:
    def work(name: str) -> str:
        if name in "bd":
            raise UsageError("x", "le quota est plein", "y")
        return name.upper()

    outcomes = for_each("abcde", work, Silent(), "essai", at_once=2)
    assert outcomes.done == {"a": "A", "c": "C", "e": "E"}
    assert reasons(outcomes.failed) == "b, d : le quota est plein"


def test_what_is_stopped_begins_nothing_more() -> None:
    begun: list[str] = []

    def work(name: str) -> str:
        begun.append(name)
        if name == "a":
            raise KeyboardInterrupt
        return name

    with pytest.raises(KeyboardInterrupt):
        for_each("abcdefgh", work, Silent(), "essai", at_once=1)
    assert len(begun) < 8


def test_an_error_of_one_student_is_an_error_of_the_course() -> None:
    assert issubclass(UsageError, K8sHelpersError)
