"""Which provider is taken, from arguments, environment and machine; what is said where none can be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from k8s_helpers import providers
from k8s_helpers._errors import ClusterUnreachableError, EngineError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.providers.existing import ExistingProvider
from k8s_helpers.providers.kind import engine
from k8s_helpers.providers.kind.provider import KindProvider

Environment = os._Environ[str]


@pytest.fixture
def alone(environment: Environment, tmp_path: Path) -> Environment:
    """A machine without engine, kind, or any wish of the user's."""
    for name in [name for name in environment if name.startswith("K8S_HELPERS_")]:
        del environment[name]
    environment.pop("KUBECONFIG", None)
    environment.pop("KIND_EXPERIMENTAL_PROVIDER", None)
    environment["K8S_HELPERS_HOME"] = str(tmp_path / "home")
    environment["HOME"] = str(tmp_path)
    (tmp_path / "bin").mkdir()
    environment["PATH"] = str(tmp_path / "bin")
    return environment


def program(folder: Path, name: str, script: str) -> None:
    """Put a small program on the PATH."""
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_engine_or_kind_it_is_the_embedded_cluster(alone: Environment) -> None:
    assert providers.choose() == "embedded"


def test_with_both_it_is_kind(alone: Environment, tmp_path: Path) -> None:
    program(tmp_path, "kind", "exit 0")
    program(
        tmp_path,
        "docker",
        """echo '{"ServerVersion": "28", "CgroupVersion": "2", "DockerRootDir": "/x"}'""",
    )
    assert providers.choose() == "kind"


def test_kind_alone_is_not_enough(alone: Environment, tmp_path: Path) -> None:
    program(tmp_path, "kind", "exit 0")
    program(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert providers.choose() == "embedded"


def test_a_kubeconfig_means_an_existing_cluster(alone: Environment) -> None:
    assert isinstance(providers.select(kubeconfig="x", namespace_prefix="ab"), ExistingProvider)


def test_the_environment_decides_where_arguments_do_not(alone: Environment) -> None:
    alone["K8S_HELPERS_PROVIDER"] = "kind"
    alone["K8S_HELPERS_CLUSTER"] = "tp"
    chosen = providers.select()
    assert (chosen.kind, chosen.name) == ("kind", "tp")
    other = providers.select("existing", "autre")
    assert (other.kind, other.name) == ("existing", "autre")


def test_the_cluster_in_use_is_found_again(alone: Environment) -> None:
    providers.remember(KindProvider("tp"))
    chosen = providers.select()
    assert (chosen.kind, chosen.name) == ("kind", "tp")


@pytest.mark.parametrize(("name", "options"), [("minikube", {}), ("kind", {"context": "x"})])
def test_what_does_not_exist_is_refused(name: str, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        providers.provider(name, "cours", **options)


@pytest.mark.parametrize(("given", "prefix"), [("alice", "alice-"), ("ab-", "ab-"), ("", "")])
def test_a_prefix_ends_with_a_dash(given: str, prefix: str) -> None:
    assert ExistingProvider(namespace_prefix=given).namespace_prefix == prefix


@pytest.mark.parametrize("given", ["-a", "A", "é", "a" * 31, "a_b"])
def test_a_prefix_that_no_name_can_have_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="préfixe"):
        ExistingProvider(namespace_prefix=given)


@pytest.mark.parametrize(
    ("script", "word", "advice"),
    [
        ("echo 'permission denied while trying to connect' >&2; exit 1", "pas le droit", "groupe"),
        (
            "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1",
            "arrêté",
            "systemctl",
        ),
        ('echo \'{"ServerErrors": ["Cannot connect"]}\'', "Cannot connect", "systemctl"),
        ("echo '?'", "autre chose", "embarqué"),
    ],
)
def test_the_silence_of_an_engine_is_explained(
    alone: Environment, tmp_path: Path, script: str, word: str, advice: str
) -> None:
    program(tmp_path, "docker", script)
    with pytest.raises(EngineError) as caught:
        engine.require_engine()
    assert word in caught.value.found
    assert advice in caught.value.advice


def test_kind_says_that_no_engine_is_there(alone: Environment) -> None:
    with pytest.raises(EngineError, match="docker ni podman"):
        KindProvider("cours").up(Silent())


def test_kind_says_that_it_is_missing_or_too_old(alone: Environment, tmp_path: Path) -> None:
    program(
        tmp_path,
        "docker",
        """echo '{"ServerVersion": "28", "CgroupVersion": "2", "DockerRootDir": "/x"}'""",
    )
    with pytest.raises(EngineError, match="go install"):
        KindProvider("cours").up(Silent())
    program(tmp_path, "kind", "echo kind v0.11.1 go1.16 linux/amd64")
    with pytest.raises(EngineError, match="trop ancienne"):
        KindProvider("cours").up(Silent())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "rien de ce nom n’existe"),
        ("a: 1\nb: [", "ligne 2"),
        ("bonjour", "pas un kubeconfig"),
        ("{clusters: [], users: [], contexts: []}", "aucun contexte"),
        (
            "{clusters: [], users: [], current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}]}",
            "désigne « b »",
        ),
        (
            "{clusters: [{name: b, cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: '!'}}], "
            "users: [{name: c, user: {}}], current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}]}",
            "inutilisables",
        ),
        (
            "{clusters: [{name: b, cluster: {server: 'https://127.0.0.1:1'}}], "
            "users: [{name: c, user: {token: t}}], current-context: a, "
            "contexts: [{name: a, context: {cluster: b, user: c}}]}",
            "personne n’écoute",
        ),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_leads_nowhere_is_explained(
    alone: Environment, tmp_path: Path, text: str | None, word: str
) -> None:
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ClusterUnreachableError) as caught:
        ExistingProvider(kubeconfig=file).up(Silent())
    assert word in caught.value.found
    assert str(file) in str(caught.value)
    assert "kubeconfig.new" not in str(caught.value)


def test_an_unknown_context_names_those_that_exist(alone: Environment, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("{clusters: [], users: [], contexts: [{name: un}, {name: deux}]}")
    with pytest.raises(ClusterUnreachableError) as caught:
        ExistingProvider(kubeconfig=file, context="trois").up(Silent())
    assert "un, deux" in caught.value.advice
