"""Manifests: what is read, and where exactly the error is when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers._errors import ManifestError
from k8s_helpers.kube import manifests
from k8s_helpers.kube.manifests import ManifestSyntaxError

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
GOOD = HEAD + "  name: a\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: side
          image: b
        - name: web
          image: a
"""


def broken(text: str) -> ManifestSyntaxError:
    with pytest.raises(ManifestSyntaxError) as caught:
        manifests.read(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        (HEAD + "\tname: a\n", 4, 1, "tabulation"),
        (HEAD + "  name: a\n  labels:\n\t  x: y\n", 6, 1, "tabulation"),
        (GOOD + "   labels: {}\n", 5, 10, "trop décalée"),
        (GOOD + " labels: {}\n", 5, 2, "décalage"),
        (GOOD + "data:\n  x: y\n- a: 1\n", 7, 1, "un tiret"),
        (GOOD + "spec:\n  containers:\n\n- name: a\n", 8, 1, "« containers » (ligne 6)"),
        (GOOD + "data:\n  - a: 1\n   b: 2\n", 7, 4, "décalage"),
        (GOOD + "data:\n  - a: 1\n  b: 2\n", 7, 3, "juste sous le tiret"),
        (GOOD + "  labels:\n\n- a: 1\n", 7, 1, "la liste « labels » (ligne 5)"),
        (HEAD + "  name: “a”\n", 4, 9, "guillemet typographique"),
        (HEAD + "  “name”: a\n", 4, 3, "guillemet typographique"),
        (HEAD + "  name: «a»\n", 4, 9, "guillemet typographique"),
        (HEAD + '  name: "a\n', 4, 9, "jamais fermé"),
        (HEAD + "  name: 'a\n", 4, 9, "jamais fermé"),
        (HEAD + "  labels: [a\ndata: {}\n", 5, 5, "« ] » était attendu"),
        (HEAD + "  labels: {a: b\n", 4, 11, "« { » ouvert ici n’est jamais fermé"),
        (HEAD + "  labels: {a: b c: d}\n", 4, 18, "« , » ou « } » était attendu"),
        (": [\n", 1, 1, "le YAML est incorrect"),
        (HEAD + "  labels: [\n", 4, 11, "« [ » ouvert ici n’est jamais fermé"),
        (HEAD + "  labels: {a: [b], c: {\n\n", 4, 23, "« { » ouvert ici n’est jamais fermé"),
        ("apiVersion: v1\nkind ConfigMap\nmetadata: {name: a}\n", 2, 1, "il manque « : »"),
        ("apiVersion: v1\nkind:ConfigMap\nmetadata: {name: a}\n", 2, 1, "il manque « : »"),
        (HEAD + "  name: @a\n", 4, 9, "commencer par « @ »"),
        (HEAD + "  name: *a\n", 4, 9, "sens spécial"),
        (HEAD + "  name: {{ a }}\n", 4, 10, "accolades"),
        (HEAD + "\u00a0 name: a\n", 4, 1, "espace insécable"),
        (HEAD + "  name: a\n  name: b\n", 5, 3, "écrit deux fois"),
        (GOOD + "data:\n  x: \x07\n", 6, 6, "U+0007"),
        ("- " + GOOD.replace("\n", "\n  "), 1, 1, "une liste"),
        ("bonjour\n", 1, 1, "un simple texte"),
        (GOOD + "---\n" + HEAD + "  labels: [\n---\n" + GOOD, 9, 11, "« [ » ouvert ici n’est jamais fermé"),
        (GOOD + "---\n" + GOOD + "data: {a: {b: 1}\n---\n" + GOOD, 10, 7, "« { » ouvert ici n’est jamais fermé"),
        (GOOD + "data:\n  a: .inf\n", 6, 6, "« .inf » est pour YAML un nombre"),
        (GOOD + "data:\n  1: a\n  '1': b\n", 7, 3, "« 1 » est écrit deux fois"),
        (GOOD + "data:\n  y: a\n  yes: b\n", 7, 3, "« true » est écrit deux fois"),
        (GOOD + "data:\n  a: *b\n", 6, 6, "sens spécial"),
        (GOOD + "data: &d\n  a: *d\n", 5, 7, "se contient lui-même"),
        (GOOD + "data:\n  <<: 1\n", 6, 7, "« << » attend un objet"),
        (GOOD + "data:\n  ~: 1\n", 6, 3, "« ~ » ne peut pas être le nom"),
        (GOOD + "data:\n  a: !!int x\n", 6, 6, "« !!int »"),
        (GOOD + "data:\n  a: !!binary é\n", 6, 6, "« !!binary »"),
        (GOOD + "data:\n  a: '\\ud800'\n  b: \"\\ud800\"\n", 7, 13, "pas un caractère"),
        (GOOD + "data:\n  cert: |\n-----BEGIN X-----\n", 7, 1, "commence par « --- »"),
        (GOOD + "--- " + GOOD, 5, 1, "commence par « --- »"),
        (" apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", 2, 1, "déjà fini"),
        (GOOD + "...\ndata: {}\n", 6, 1, "déjà fini"),
        ("%YAML 1.1\n---\n" + GOOD, 1, 1, "kubectl ne lit pas"),
        (GOOD + "data:\n  a: |\n  \tx\n", 7, 3, "tabulation"),
        (GOOD + "---\n{\n  apiVersion: 'v1',\n  kind: 'X'\n  metadata: {}\n}\n", 9, 3, "« , » ou « } » était attendu"),
        ('{"kind": "X", "apiVersion": "v1", "metadata": {"name": "a"}}\n{"a": 1,\n "a": 2}\n', 3, 2, "deux fois"),
    ],
)  # fmt: skip
def test_broken_yaml_is_placed_and_named(text: str, line: int, column: int, word: str) -> None:
    error = broken(text)
    assert (error.line, error.column) == (line, column)
    assert word in error.found
    assert f"ligne {line}, colonne {column}" in error.found


def test_the_offending_line_is_shown_with_a_caret_under_the_column() -> None:
    lines = broken(HEAD + "  name: “a”\n").found.splitlines()
    assert lines[1].endswith("|   name: “a”")
    assert lines[2].index("^") == lines[1].index("“")


@pytest.mark.parametrize(
    ("text", "line", "word", "advice"),
    [
        ("kind: X\nmetadata: {name: a}\n", 1, "« apiVersion »", "apiVersion: apps/v1"),
        ("apiVersion: v1\nmetadata: {name: a}\n", 1, "« kind »", "kind: Deployment"),
        ("apiVersion: v1\nKind: X\nmetadata: {name: a}\n", 2, "« Kind » est écrit à la place", "« kind »"),
        ("apiversion: v1\nkind: X\nmetadata: {name: a}\n", 1, "« apiversion »", "« apiVersion »"),
        ("apiVersion: v1\nkind: X\nspec: {}\n", 1, "« metadata »", "metadata:"),
        ("apiVersion: v1\nkind: X\nmetadata:\n  labels: {}\n", 3, "« metadata.name »", "name: vitrine"),
        ("apiVersion: v1\nkind: X\nmetadata:\n  Name: a\n", 4, "« Name »", "« name »"),
        ("apiVersion: v1\nkind: X\nmetadata:\n  name: 12\n", 4, "devrait être un texte", "guillemets"),
    ],
)  # fmt: skip
def test_a_missing_field_is_named(text: str, line: int, word: str, advice: str) -> None:
    error = broken(text)
    assert error.line == line
    assert word in error.found
    assert advice in error.advice


def test_lines_count_from_the_start_of_the_file_in_every_document(tmp_path: Path) -> None:
    file = tmp_path / "deux.yaml"
    file.write_text(f"{GOOD}---\napiVersion: v1\nkind: X\nmetadata: {{}}\n")
    with pytest.raises(ManifestSyntaxError) as caught:
        manifests.read(file)
    assert caught.value.line == 6
    assert caught.value.source == str(file)


def test_objects_come_in_order_from_every_kind_of_source(tmp_path: Path) -> None:
    (tmp_path / "2.yaml").write_text(GOOD.replace("name: a", "name: c"))
    (tmp_path / "1.yml").write_text(f"{GOOD}---\n---\n{GOOD.replace('name: a', 'name: b')}")
    (tmp_path / "notes.txt").write_text("pas un manifeste")
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}

    def names(source: manifests.Source) -> list[str]:
        return [manifest.object["metadata"]["name"] for manifest in manifests.read(source)]

    assert names(tmp_path) == ["a", "b", "c"]
    assert names(str(tmp_path / "2.yaml")) == ["c"]
    assert names(GOOD) == names(plain) == names([plain]) == ["a"]
    assert names({"apiVersion": "v1", "kind": "List", "items": [plain, plain]}) == ["a", "a"]


def test_dates_and_colons_stay_text_as_in_kubernetes() -> None:
    found = manifests.read(
        GOOD + "data: {day: 2026-01-02, ports: 22:22, x: 0x1F, m: 0644, ok: true}\n"
    )
    assert found[0].object["data"] == {
        "day": "2026-01-02",
        "ports": "22:22",
        "x": 31,
        "m": 420,
        "ok": True,
    }


def test_tabs_are_taken_where_kubectl_takes_them() -> None:
    found = manifests.read(
        "---\n{\n\tapiVersion: 'v1',\t# tab\n\tkind: 'X', metadata: {name: a},\n}\n"
    )
    assert found[0].object["apiVersion"] == "v1"
    assert manifests.read(GOOD + "data:\n  a:\tb\t# c\n")[0].object["data"] == {"a": "b"}


def test_kyaml_keeps_its_places() -> None:
    text = "---\n{\n  # c\n  apiVersion: 'v1',\n  kind: 'X', # d\n  metadata: {\n    name: 'a',\n  },\n}\n"
    place = manifests.read(text)[0].place("metadata.name")
    assert place is not None
    assert (place.line, place.column) == (7, 5)


def test_objects_of_json_follow_one_another() -> None:
    plain = '{"apiVersion": "v1", "kind": "X", "metadata": {"name": "%s"}, "data": {"u": "a\\/b"}}'
    found = manifests.read(plain % "a" + plain % "b" + "\n" + plain % "c")
    assert [one.title for one in found] == ["X/a", "X/b", "X/c"]
    assert found[0].object["data"] == {"u": "a/b"}


@pytest.mark.parametrize("text", ["", "\n---\n---\n", "# rien\n"])
def test_nothing_is_an_error(text: str) -> None:
    with pytest.raises(ManifestError, match="aucun objet"):
        manifests.read(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent\.yaml"):
        manifests.read(tmp_path / "absent.yaml")


def test_a_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(GOOD.encode() + "# été\n".encode("latin-1"))
    with pytest.raises(ManifestError, match="UTF-8"):
        manifests.read(file)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.template.spec.containers[1].image", 11),
        ('.spec.template.spec.containers[name="web"].image', 11),
        ('.spec.template.spec.containers[name="side"]', 8),
        ("spec.template.metadata.labels", 5),
        ("metadata.name", 3),
        ('spec.template.spec.containers[name="web",image="a",imagePullPolicy="Always"].image', 11),
    ],
)
def test_a_field_of_the_api_is_found_in_the_text(path: str, line: int) -> None:
    place = manifests.read(DEPLOYMENT)[0].place(path)
    assert place is not None
    assert place.line == line
