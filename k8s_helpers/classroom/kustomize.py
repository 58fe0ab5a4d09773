"""A class as a folder that `kubectl apply -k` takes as it is: the same objects, applied by other means. Pure.

kustomization.yaml          the whole class
base/                       what is in no student's namespace: the admission policy
students/alice-martin/      a student's namespaces and all in them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .._errors import UsageError
from . import objects
from .objects import ClassPlan

_FILE = "kustomization.yaml"
_API = "kustomize.config.k8s.io/v1beta1"


class _Plain(yaml.SafeDumper):
    """Writes what is there twice two times: anchors and aliases are no help to who reads."""

    def ignore_aliases(self, data: Any) -> bool:
        """Take every value for another one."""
        return True


def to_yaml(plain: Sequence[Mapping[str, Any]]) -> str:
    """Return objects as one YAML text."""
    return yaml.dump_all(
        plain, Dumper=_Plain, sort_keys=False, allow_unicode=True, explicit_start=True
    )


def files(plan: ClassPlan) -> dict[str, str]:
    """Return the texts of the folder, by their relative paths."""
    shared = objects.of_class(plan)
    folders = {"base": shared} if shared else {}
    folders |= {
        f"students/{student.id}": objects.of_student(plan, student) for student in plan.students
    }
    texts = {_FILE: _kustomization(list(folders))}
    for folder, content in folders.items():
        texts[f"{folder}/{_FILE}"] = _kustomization(["objects.yaml"])
        texts[f"{folder}/objects.yaml"] = to_yaml(content)
    return texts


def write(plan: ClassPlan, folder: Path) -> int:
    """Write the folder and return how many objects it has.

    Raises
    ------
    UsageError
        There is something in it already: what another class has left there would be applied too.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"Écrire la kustomization dans {folder}",
            "il y a déjà quelque chose",
            "Donnez un dossier neuf, ou videz celui-ci.",
        )
    for name, text in files(plan).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return len(objects.of_all(plan))


def hub_values(plan: ClassPlan) -> str:
    """Return what the values of a JupyterHub's chart say of who may come in: the class, by their ids.

    Source: https://z2jh.jupyter.org/en/stable/resources/reference.html#hub-config
    """
    allowed = [student.id for student in plan.students]
    return to_yaml([{"hub": {"config": {"Authenticator": {"allowed_users": allowed}}}}])


def _kustomization(resources: Sequence[str]) -> str:
    return to_yaml([{"apiVersion": _API, "kind": "Kustomization", "resources": list(resources)}])
