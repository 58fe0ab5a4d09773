"""The course's images for a registry, and what lets nodes pull them: what needs no cluster."""

import base64
import json
from pathlib import Path

import pytest

from k8s_helpers._errors import ImageError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import publication, pull_secrets
from k8s_helpers.cli import images as command
from k8s_helpers.kube.classes import Enrolment

PAIR = base64.b64encode(b"reader:secret").decode()
LABELS = {"k8s-helpers/class": "r509"}
REFERENCES = ("r.example/course/vitrine:v1@sha256:" + "0" * 64, "docker.io/course/carnet:v1")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    auths = {
        "r.example": {"auth": PAIR},
        "https://index.docker.io/v1/": {"username": "hub", "password": "token"},
        "private.example": {"auth": PAIR},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": auths, "currentContext": "x"}))
    return path


def test_a_pull_secret_has_the_registries_of_the_images_and_no_other(config: Path) -> None:
    made = pull_secrets.secret(pull_secrets.read(config, REFERENCES), LABELS)
    assert made["type"] == "kubernetes.io/dockerconfigjson"
    assert made["metadata"] == {"name": "k8s-helpers-pull", "labels": LABELS}
    held = json.loads(base64.b64decode(made["data"][".dockerconfigjson"]))
    pairs = {key: base64.b64decode(entry["auth"]) for key, entry in held["auths"].items()}
    assert pairs == {"r.example": b"reader:secret", "https://index.docker.io/v1/": b"hub:token"}


def test_pods_that_name_no_account_pull_with_it() -> None:
    account = pull_secrets.default_account(LABELS)
    assert account["metadata"] == {"name": "default", "labels": LABELS}
    assert account["imagePullSecrets"] == [{"name": "k8s-helpers-pull"}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", "pas d’identité utilisable"),
        ("[]", "pas une configuration"),
        ("auths:", "pas une configuration"),
        ('{"auths": {"r.example": {"identitytoken": "x"}}}', "pas d’identité utilisable"),
    ],
)
def test_a_configuration_that_does_not_help_says_so(tmp_path, text, found) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=found):
        pull_secrets.read(path, REFERENCES)
    with pytest.raises(UsageError, match="Donnez par exemple"):
        pull_secrets.read(tmp_path / "absent.json", REFERENCES)


def test_a_credential_helper_that_is_not_here_is_named(tmp_path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"credsStore": "nowhere"}')
    with pytest.raises(ImageError, match="docker-credential-nowhere est introuvable"):
        pull_secrets.read(path, REFERENCES)


def test_the_lines_are_those_that_a_class_reads() -> None:
    references = {"vitrine:v2": "r.example/vitrine:v2@sha256:ab", "carnet:v1": "r.example/c:v1"}
    published = publication.Publication(references, 3_000_000, ("« fuite » : sa doublure.",))
    data = {"class": "r509", "student": "alice", "images": published.lines()}
    assert Enrolment.parse(data).images == references
    shown = command._pushed(published)
    assert shown.splitlines()[-2:] == ["Envoyé : 3,0 Mo.", "« fuite » : sa doublure."]
    assert "vitrine:v2  sha256:ab" in shown


@pytest.mark.parametrize("registry", ["", "r.example/course:v1", "user@r.example", "a b", "/x"])
def test_a_registry_that_is_none_is_refused(registry) -> None:
    with pytest.raises(UsageError, match="image push registre"):
        publication.publish(registry, Silent())


def test_an_unknown_program_is_refused() -> None:
    with pytest.raises(UsageError, match="vitrine"):
        publication.publish("r.example", Silent(), names=["nothing"])


def test_every_program_of_the_course_has_its_recipes_in_three_versions(monkeypatch) -> None:
    monkeypatch.setattr(publication.host_builds, "prepare", lambda app, progress: app)
    names = set()
    for app in publication.apps():
        recipes, note = publication._recipes("r.example/course", app, Silent())
        assert note == ""
        names |= set(recipes)
    assert {"vitrine:v3", "carnet:v1", "atelier:v2", "fuite:v1", "demarrage_lent:v2"} <= names
    assert "demarrage_lent-standin:v1" in names
    assert len(names) == 3 * (len(publication.apps()) + 1)
