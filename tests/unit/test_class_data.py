"""What a class says to a student's program: read as it was written, and never half."""

from __future__ import annotations

import pytest

from k8s_helpers.kube.classes import Enrolment, class_labels, pool_names

FULL = Enrolment(
    class_name="r509",
    student="alice-martin",
    namespaces=pool_names("r509", "alice-martin", 3),
    images={"vitrine:v1": "r.fr/c/vitrine:v1@sha256:ab", "carnet:v2": "r.fr/c/carnet:v2"},
    image_prefix="r.fr/c/",
    share_progress=False,
    server_version_tested="v1.30.2",
    plain_names=True,
    ingress_url="http://10.0.0.1 https://10.0.0.1",
)


@pytest.mark.parametrize("enrolment", [FULL, Enrolment("r509", "bob")])
def test_what_is_written_is_read_again(enrolment: Enrolment) -> None:
    assert Enrolment.parse(enrolment.format()) == enrolment


def test_a_teacher_may_write_it_by_hand() -> None:
    data = {
        "class": "r509\n",
        "student": "bob",
        "namespaces": "r509-bob-1\n\n r509-bob-2 \n",
        "images": "\nvitrine:v1   r.fr/vitrine:v1\n",
        "share-progress": "False",
    }
    read = Enrolment.parse(data)
    assert read.namespaces == pool_names("r509", "bob", 2)
    assert read.images == {"vitrine:v1": "r.fr/vitrine:v1"}
    assert not read.share_progress


@pytest.mark.parametrize(
    "data", [{}, {"class": "r509"}, {"class": "a", "student": "b", "images": "vitrine:v1"}]
)
def test_half_of_it_is_an_error(data: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Enrolment.parse(data)


def test_an_object_of_the_class_has_no_role() -> None:
    assert class_labels("r509", "bob") == {
        "app.kubernetes.io/managed-by": "k8s-helpers",
        "k8s-helpers/class": "r509",
        "k8s-helpers/student": "bob",
    }
    assert class_labels("r509", "bob", "pool")["k8s-helpers/role"] == "pool"
