"""Manifests: YAML from a file, a text or Python objects, every object with the line that it comes from.

What is wrong is told before the API server sees it: where YAML itself is broken, where an editor has changed the
quotes, where `kind` is missing. What the server refuses is brought back to the line it is about.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .. import _french
from .._errors import ManifestError
from . import yaml as _yaml
from .yaml import Place

_REQUIRED = ("apiVersion", "kind", "metadata")
_STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")


class ManifestSyntaxError(ManifestError):
    """A manifest with a fault at a known place.

    Attributes
    ----------
    source : str
        File name, or what the text is called.
    line, column : int
        From 1, as editors count.
    """

    def __init__(self, tried: str, place: Place, found: str, advice: str) -> None:
        super().__init__(tried, f"{place} : {found}{place.excerpt()}", advice)
        self.source = place.source
        self.line = place.line
        self.column = place.column


@dataclass(frozen=True)
class Manifest:
    """One object to apply.

    Attributes
    ----------
    object : dict
        The object itself.
    source : str
        File name, or "le manifeste" for a text or Python objects.
    text : str
        The whole text that it comes from; "" for Python objects.
    node : yaml.Node or None
        The object as YAML's tree, whose marks give lines.
    """

    object: dict[str, Any]
    source: str
    text: str = field(default="", repr=False)
    node: yaml.Node | None = field(default=None, repr=False, compare=False)

    @property
    def title(self) -> str:
        """Kind and name: "Deployment/vitrine"."""
        return f"{self.object['kind']}/{self.object['metadata']['name']}"

    def place(self, path: str) -> Place | None:
        """Return where a field is written, or the nearest field around it that is; None for Python objects.

        Parameters
        ----------
        path : str
            As the API writes it: `spec.containers[0].image` or `.spec.containers[name="web"].image`.
        """
        if self.node is None:
            return None
        node, mark = self.node, self.node.start_mark
        for index, name in _STEP.findall(path):
            if (step := _child(node, index, name)) is None:
                break
            key, node = step
            mark = key.start_mark
        return Place.of(self.source, self.text, mark)


Source = str | Path | Manifest | Mapping[str, Any] | Sequence[Mapping[str, Any] | Manifest]
"""Text of YAML, path of a file or of a folder of them, one object (read already or not), or several."""


def _child(node: yaml.Node, index: str, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        wanted = name or index
        return next(((key, value) for key, value in node.value if key.value == wanted), None)
    if not isinstance(node, yaml.SequenceNode) or not index:
        return None
    if index.isdigit():
        item = node.value[int(index)] if int(index) < len(node.value) else None
    else:
        wanted_fields = dict(re.findall(r'(\w+)="?([^",]*)"?', index))
        item = next((entry for entry in node.value if _has(entry, wanted_fields)), None)
    return None if item is None else (item, item)


def _has(node: yaml.Node, wanted: Mapping[str, str]) -> bool:
    if not isinstance(node, yaml.MappingNode):
        return False
    fields = {key.value: value.value for key, value in node.value}
    written = wanted.keys() & fields.keys()  # the server names its defaults too: `protocol="TCP"`
    return bool(written) and all(fields[name] == wanted[name] for name in written)


def read(source: Source) -> list[Manifest]:
    """Read every object of a source, in its order; `kind: List` is opened.

    Parameters
    ----------
    source : str, Path, Manifest, mapping or sequence of mappings
        A text of one line that ends in `.yaml`, `.yml` or `.json` is the path of a file; a folder gives its files
        in the order of their names.

    Raises
    ------
    ManifestError
        No such file, or nothing in it.
    ManifestSyntaxError
        Broken YAML, or an object without `apiVersion`, `kind` or `metadata.name`: with line and column.
    """
    if isinstance(source, Manifest):
        return [source]
    if isinstance(source, Mapping):
        return list(_opened(Manifest(dict(source), "le manifeste")))
    if not isinstance(source, str | Path):
        return [manifest for item in source for manifest in read(item)]
    if isinstance(source, str) and not _is_path(source):
        return parse(source)
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml", ".json"))
        return [manifest for file in files for manifest in read(file)]
    tried = f"Lire le manifeste {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ManifestError(
            tried, "ce n’est pas du texte en UTF-8", "Enregistrez le fichier en UTF-8."
        ) from None
    except OSError as error:
        raise ManifestError(
            tried, _french.system(error), "Vérifiez le chemin du fichier."
        ) from None
    return _read_text(text, str(path))


def parse(text: str) -> list[Manifest]:
    """Read every object of a text, which is never taken for the path of a file.

    Raises
    ------
    ManifestError, ManifestSyntaxError
        As `read`.
    """
    return _read_text(text, "le manifeste")


def _is_path(text: str) -> bool:
    return "\n" not in text.strip() and text.strip().endswith((".yaml", ".yml", ".json"))


def _read_text(text: str, source: str) -> list[Manifest]:
    tried = f"Lire {source}" if source == "le manifeste" else f"Lire le manifeste {source}"
    manifests: list[Manifest] = []
    try:
        for document in _yaml.documents(text):
            if document.value is not None:  # an empty document, between two "---"
                plain = _mapping(document, tried, source, text)
                manifests += _opened(Manifest(plain, source, text, document.node))
    except yaml.YAMLError as error:
        from . import yaml_faults

        raise ManifestSyntaxError(tried, *yaml_faults.explain(error, source, text)) from None
    if not manifests:
        raise ManifestError(
            tried, "il n’y a aucun objet dedans", "Écrivez-y au moins un objet Kubernetes."
        )
    return manifests


def _mapping(document: _yaml.Document, tried: str, source: str, text: str) -> dict[str, Any]:
    if document.node is not None and (scalar := _yaml.retouched(document.node)) is not None:
        from . import yaml_faults

        raise ManifestSyntaxError(tried, *yaml_faults.of_retouched(scalar, source, text))
    plain, node = document.value, document.node
    if isinstance(plain, dict):
        return plain
    what = "une liste" if isinstance(plain, list) else f"un simple texte ({str(plain)[:40]!r})"
    assert node is not None  # JSON that is no YAML is always an object
    raise ManifestSyntaxError(
        tried,
        Place.of(source, text, node.start_mark),
        f"le document est {what}, il devrait être un objet",
        "Un objet commence par « apiVersion: … » et « kind: … », sans tiret devant.",
    )


def _opened(manifest: Manifest) -> Iterator[Manifest]:
    """Check an object and yield it, or the objects of a list."""
    plain = manifest.object
    if plain.get("kind") == "List" and isinstance(plain.get("items"), list):
        nodes = _items(manifest.node)
        for index, item in enumerate(plain["items"]):
            node = nodes[index] if nodes else None
            yield from _opened(Manifest(item, manifest.source, manifest.text, node))
        return
    for name in _REQUIRED:
        if not plain.get(name):
            raise _missing(manifest, name, "", f"un objet Kubernetes a un champ « {name} »")
    for name in ("apiVersion", "kind"):
        if not isinstance(plain[name], str):
            raise _not_text(manifest, name)
    if not isinstance(plain["metadata"], Mapping) or not plain["metadata"].get("name"):
        raise _missing(
            manifest,
            "metadata.name",
            "metadata",
            "un objet à appliquer a un nom, « metadata.name »",
        )
    if not isinstance(plain["metadata"]["name"], str):
        raise _not_text(manifest, "metadata.name")
    yield manifest


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "items":
                return list(value.value)
    return []


_EXAMPLES = {
    "apiVersion": "apiVersion: apps/v1",
    "kind": "kind: Deployment",
    "metadata": "metadata:\n        name: vitrine",
    "metadata.name": "metadata:\n        name: vitrine",
}


def _missing(manifest: Manifest, name: str, at: str, expected: str) -> ManifestError:
    tried = f"Lire {manifest.source}"
    around = manifest.object.get("metadata") if name == "metadata.name" else manifest.object
    present = [str(key) for key in around] if isinstance(around, Mapping) else []
    last = name.rpartition(".")[2]
    near = difflib.get_close_matches(
        last.lower(), [key.lower() for key in present if key != last], 1, 0.75
    )
    written = next((key for key in present if near and key.lower() == near[0]), None)
    advice = f"Ajoutez par exemple :\n      {_EXAMPLES[name]}"
    found = f"il y manque « {name} » ({expected})"
    if written is not None:
        found += f" ; « {written} » est écrit à la place"
        advice = f"Écrivez « {last} » (les majuscules comptent) au lieu de « {written} »."
        at = f"{at}.{written}" if at else written
    place = manifest.place(at)
    if place is None:
        return ManifestError(tried, found, advice)
    return ManifestSyntaxError(tried, place, found, advice)


def _not_text(manifest: Manifest, name: str) -> ManifestError:
    tried = f"Lire {manifest.source}"
    found, advice = f"« {name} » devrait être un texte", 'Mettez sa valeur entre guillemets "…".'
    place = manifest.place(name)
    if place is None:
        return ManifestError(tried, found, advice)
    return ManifestSyntaxError(tried, place, found, advice)
