"""What the course's images are called on a cluster that pulls them from a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import exercises
from k8s_helpers._errors import ImageError, PlatformError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import plain_names
from k8s_helpers.cli import images as command
from k8s_helpers.exercises import guard
from k8s_helpers.exercises.catalogue import load
from k8s_helpers.exercises.workspace import StartedExercise
from k8s_helpers.kube.classes import Enrolment
from k8s_helpers.kube.image_names import ImageNames, short, undigested
from k8s_helpers.measure.objects import version_of
from k8s_helpers.providers.existing import ExistingProvider

DIGEST = "@sha256:" + "0" * 64
PINNED = {
    "vitrine:v1": f"r.example:5000/course/vitrine:v1{DIGEST}",
    "vitrine:v2": f"r.example:5000/course/vitrine:v2{DIGEST}",
    "fuite-standin:v1": f"r.example:5000/course/fuite-standin:v1{DIGEST}",
}
OWN = ImageNames()
PREFIXED = ImageNames("r.example/course/")
OF_CLASS = ImageNames(pinned=PINNED)
PLAIN = ImageNames(pinned=PINNED, plain=True)


@pytest.mark.parametrize(
    ("names", "full", "typed"),
    [
        (OWN, "vitrine:v1", "vitrine:v1"),
        (PREFIXED, "r.example/course/vitrine:v1", "r.example/course/vitrine:v1"),
        (OF_CLASS, PINNED["vitrine:v1"], "r.example:5000/course/vitrine:v1"),
        (PLAIN, PINNED["vitrine:v1"], "vitrine:v1"),
    ],
)
def test_what_is_applied_is_pinned_and_what_is_typed_is_short(names, full, typed) -> None:
    assert names.full("vitrine:v1") == full
    assert names.typed("vitrine:v1") == typed
    assert {names.tag(full), names.tag(typed)} == {"vitrine:v1"}
    assert names.tag("docker.io/library/nginx:1.29") == "docker.io/library/nginx:1.29"


def test_a_registry_that_has_a_stand_in_only_gives_that() -> None:
    assert OF_CLASS.full("fuite:v1") == PINNED["fuite-standin:v1"]
    assert OF_CLASS.full("carnet:v1") == "carnet:v1"
    assert ImageNames("r.example/c/", PINNED).full("carnet:v1") == "r.example/c/carnet:v1"


def test_a_text_has_the_names_that_work_here_and_nothing_else_changes() -> None:
    text = "kubectl set image deploy/site site=vitrine:v2  # not myvitrine:v1, x/vitrine:v1, vitrine:v10"
    tags = ("vitrine:v1", "vitrine:v2")
    assert OWN.rewritten(text, tags) == PLAIN.rewritten(text, tags) == text
    wanted = text.replace("site=vitrine:v2", "site=r.example:5000/course/vitrine:v2")
    assert OF_CLASS.rewritten(text, tags) == wanted
    assert OF_CLASS.rewritten(wanted, tags) == wanted


def test_parts_of_a_reference() -> None:
    assert short(PINNED["vitrine:v1"]) == "vitrine:v1"
    assert undigested(PINNED["vitrine:v1"]) == "r.example:5000/course/vitrine:v1"
    pod = {"metadata": {}, "spec": {"containers": [{"image": PINNED["vitrine:v2"]}]}}
    assert version_of(pod) == "v2"


def test_an_exercise_says_what_to_type_only_where_it_is_another_name() -> None:
    exercise = exercises.load("16-boutique")
    begun = StartedExercise(exercise, "exercice-16-boutique", OF_CLASS)
    for text in (repr(begun), begun.in_terminal(), begun._repr_html_()):
        assert "r.example:5000/course/vitrine:v1" in text
    for names in (OWN, PLAIN):
        text = repr(StartedExercise(exercise, "exercice-16-boutique", names))
        assert "r.example" not in text and "tirent" not in text


@pytest.mark.parametrize("name", [PINNED["vitrine:v1"], "r.example/course/vitrine:v1"])
def test_an_answer_may_name_the_registry(name) -> None:
    exercise = load("02-image")
    text = exercise.solution()[0].replace("vitrine:v1", name)
    assert name in text
    (objects,) = guard.read(exercise, [text]).values()
    assert any("vitrine:v1" in str(item.object) for item in objects)
    assert not any("r.example" in str(item.object) for item in objects)


def test_a_policy_names_each_image_and_the_class_alone() -> None:
    made, bound = plain_names.policy("r509", PINNED, pull_secret=True)
    assert made["spec"]["matchConstraints"]["namespaceSelector"] == {
        "matchLabels": {"k8s-helpers/class": "r509"}
    }
    assert bound["spec"]["policyName"] == made["metadata"]["name"] == bound["metadata"]["name"]
    expression = made["spec"]["variables"][0]["expression"]
    assert f'"fuite:v1": "{PINNED["fuite-standin:v1"]}"' in expression
    assert len(made["spec"]["mutations"]) == 4
    assert len(plain_names.policy("r509", PINNED)[0]["spec"]["mutations"]) == 3


def test_a_class_s_images_are_listed_with_where_nodes_pull_them(monkeypatch) -> None:
    monkeypatch.delenv("K8S_HELPERS_IMAGE_PREFIX", raising=False)
    provider = ExistingProvider("nulle-part")
    with pytest.raises(PlatformError, match="leurs propres images"):
        provider.images()
    monkeypatch.setenv("K8S_HELPERS_IMAGE_PREFIX", "r.example/course/")
    with pytest.raises(PlatformError, match="K8S_HELPERS_IMAGE_PREFIX"):
        provider.images()
    monkeypatch.setattr(ExistingProvider, "enrolment", Enrolment("r509", "bob", images=PINNED))
    line = command.table(provider.images()).splitlines()[-1].split()
    assert line[:2] == ["r.example:5000/course/vitrine:v2", "0" * 12]
    with pytest.raises(ImageError, match="r509"):
        provider.build_image(Path(), "carnet:v1", {}, Silent())
