"""The notebooks' skeleton: slides, headings, text alternatives, outputs, length of cells."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest

from k8s_helpers import exercises

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SLIDES_PER_PART = (1, 11, 14, 6, 11, 3, 6, 1)
"""How many slides each part of the deck has, part 0 first."""

TOLD_IN_PROSE = {"1.02", "1.07", "6.05"}
"""Slides that define or warn: nothing to run."""

FEWEST_WORDS = 60
FEWEST_EXERCISES = 35
MAX_CODE_LINES = 11
IGNORED = "nbval-ignore-output"
FILE_IN_A_POD = "/tmp/en-forme"
"""What the course's exec probe looks for, in its container."""
OWN_SKELETONS = {
    "16_astreinte": ("Vous allez savoir", "## La méthode", "## À vous", "## À retenir", "## Ranger"),
}
"""Notebooks that tell no slide: the student works in a terminal."""
FOLDER_OF_THE_NODE = "/tmp/carnet"
"""Where the course's manifest of a hostPath writes, which notebook 13 shows."""
SKELETON = ("Vous allez savoir", "## Et avec kubectl", "## À vous", "## À retenir", "## Ranger")
NUMBER_AND_UNIT = re.compile(r"(?<![a-z])\d\s?(?:s|ms|Mi?o)\b")
"""And not the name k8s."""


def _name(path: Path) -> str:
    return path.stem


def _cells(path: Path) -> list[Any]:
    return list(nbformat.read(path, as_version=4).cells)


def _code(path: Path) -> list[Any]:
    return [cell for cell in _cells(path) if cell.cell_type == "code"]


def _slides() -> set[str]:
    return {
        f"{part}.{number:02}"
        for part, count in enumerate(SLIDES_PER_PART)
        for number in range(1, count + 1)
    }


all_notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)


def test_notebooks_are_numbered_in_order() -> None:
    numbers = [int(path.stem[:2]) for path in NOTEBOOKS]
    assert numbers == sorted(set(numbers)) and set(range(16)) <= set(numbers)


def test_slides_exist_and_are_told_once() -> None:
    told = [
        cell.metadata["slide"]
        for path in NOTEBOOKS
        for cell in _cells(path)
        if "slide" in cell.metadata
    ]
    assert len(told) == len(set(told))
    assert set(told) == _slides()


def _section(slide: str) -> list[Any]:
    """Return the cells that tell a slide: from its heading to the next slide’s, or to the exercises."""
    for path in NOTEBOOKS:
        cells = _cells(path)
        for first, cell in enumerate(cells):
            if cell.metadata.get("slide") == slide:
                rest = cells[first + 1 :]
                ends = (
                    number
                    for number, one in enumerate(rest)
                    if "slide" in one.metadata or one.source.startswith("## À vous")
                )
                return [cell, *rest[: next(ends, len(rest))]]
    return []


@pytest.mark.parametrize("slide", sorted(_slides()))
def test_a_slide_has_its_text_and_its_measure(slide: str) -> None:
    cells = _section(slide)
    prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(prose.split()) >= FEWEST_WORDS
    seen = [cell for cell in cells if cell.cell_type == "code" and cell.outputs]
    assert seen or slide in TOLD_IN_PROSE


def test_there_are_enough_exercises_and_each_notebook_has_some() -> None:
    ids = set(exercises.exercises())
    assert len(ids) >= FEWEST_EXERCISES
    assert {name[:2] for name in ids} >= {path.stem[:2] for path in NOTEBOOKS}


@all_notebooks
def test_a_slide_is_told_by_a_heading(path: Path) -> None:
    for cell in _cells(path):
        if "slide" in cell.metadata:
            assert cell.cell_type == "markdown" and cell.source.startswith("#")


@all_notebooks
def test_headings_go_down_one_level_at_a_time(path: Path) -> None:
    source = "\n".join(cell.source for cell in _cells(path) if cell.cell_type == "markdown")
    levels = [len(mark) for mark in re.findall(r"^(#+) ", source, re.MULTILINE)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@all_notebooks
def test_the_skeleton_is_whole_and_in_order(path: Path) -> None:
    source = "\n".join(cell.source for cell in _cells(path))
    places = [source.find(part) for part in OWN_SKELETONS.get(path.stem, SKELETON)]
    assert -1 not in places and places == sorted(places)
    steps = ("### Prédire", "### Mesurer", "### Expliquer")
    assert path.stem in OWN_SKELETONS or all(step in source for step in steps)
    kept = source.split("## À retenir")[1].split("## Ranger")[0]
    assert len(re.findall(r"^\d\. ", kept, re.MULTILINE)) == 5


@all_notebooks
def test_every_nuance_names_its_source(path: Path) -> None:
    for cell in _cells(path):
        if "À nuancer" in cell.source:
            assert re.search(r"\*\(sources?\s:", cell.source), cell.source


def _python(source: str) -> str:
    """Return a cell's source with the lines that go to the terminal as plain statements; nothing of a shell's cell."""
    if source.startswith("%%"):
        return ""
    return re.sub(r"^(\s*)([\w, *]+ = )?[!%].*$", r"\1pass", source, flags=re.MULTILINE)


@all_notebooks
def test_notebooks_import_nothing_deeper_than_a_lab(path: Path) -> None:
    for cell in _code(path):
        for node in ast.walk(ast.parse(_python(cell.source))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("k8s_helpers."):
                assert node.module.split(".")[1] == "labs" and node.module.count(".") <= 2, cell.source


@all_notebooks
def test_cells_are_short_and_define_no_helper(path: Path) -> None:
    for cell in _code(path):
        tree = ast.parse(_python(cell.source))
        assert not [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        inside_texts = sum(
            node.end_lineno - node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.end_lineno is not None
        )
        assert len(cell.source.splitlines()) - inside_texts <= MAX_CODE_LINES, cell.source


@all_notebooks
def test_cells_were_run_in_order_without_error(path: Path) -> None:
    cells = _code(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", output
            assert not (output.output_type == "stream" and output.name == "stderr"), output


@all_notebooks
def test_outputs_tell_nothing_of_the_machine_that_made_them(path: Path) -> None:
    text = json.dumps([cell.outputs for cell in _code(path)], ensure_ascii=False)
    for ours in (FILE_IN_A_POD, FOLDER_OF_THE_NODE):
        text = text.replace(ours, "")
    for trace in ("/root/", "/tmp/", "/home/", "/work/"):
        assert trace not in text


def _figures(outputs: list[Any]) -> list[Any]:
    return [output for output in outputs if "image/png" in output.get("data", {})]


@all_notebooks
def test_images_have_an_alternative(path: Path) -> None:
    for cell in _cells(path):
        assert not re.search(r"!\[\s*\]\(", cell.source), cell.source
        if cell.cell_type == "code":
            for figure in _figures(cell.outputs):
                assert len(figure.metadata["image/png"]["alt"]) > 40
                assert re.search(r'<img alt="[^"]{40,}"', figure.data["text/html"])


@all_notebooks
def test_what_changes_from_one_run_to_the_next_is_not_compared(path: Path) -> None:
    for cell in _code(path):
        if IGNORED in cell.metadata.get("tags", ()):
            continue
        assert not _figures(cell.outputs), cell.source
        for output in cell.outputs:
            text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            assert not NUMBER_AND_UNIT.search(text), text


@all_notebooks
def test_no_hint_is_given_before_it_is_asked_for(path: Path) -> None:
    """What is read without running must not spoil an exercise: the third hint nearly solves it."""
    asked: Counter[str] = Counter()
    for cell in _code(path):
        shown = json.dumps(cell.outputs, ensure_ascii=False)
        for name in re.findall(r'\b(?:check|hint)\("([^"]+)"', cell.source):
            asked[name] += 1
            degrees = {int(degree) for degree in re.findall(r"Indice (\d) sur", shown)}
            assert degrees <= {asked[name]}, name


@all_notebooks
def test_what_is_compared_says_what_must_hold(path: Path) -> None:
    compared = [
        cell
        for cell in _code(path)
        if IGNORED not in cell.metadata.get("tags", ()) and cell.outputs
    ]
    truths = "".join(json.dumps(cell.outputs, ensure_ascii=False) for cell in compared)
    assert ": vrai" in truths and ": faux" not in truths


@all_notebooks
def test_the_starters_are_those_of_the_exercises(path: Path) -> None:
    source = "\n".join(cell.source for cell in _code(path))
    for name, exercise in exercises.exercises().items():
        if exercise.notebook == path.stem:
            assert f'check("{name}"' in source
            for text in exercise.starter_texts():
                assert text.strip() in source


@all_notebooks
def test_prose_follows_french_typography(path: Path) -> None:
    for cell in _cells(path):
        if cell.cell_type != "markdown":
            continue
        prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", cell.source, flags=re.DOTALL)
        assert "'" not in prose
        assert not re.search(r"« | »| [:;?!]", prose), cell.source


@all_notebooks
def test_the_teachers_guide_announces_the_same_duration(path: Path) -> None:
    source = "\n".join(cell.source for cell in _cells(path))
    minutes = re.search(r"\*\*Durée\*\*\s*:\s*(\d+)\sminutes", source)
    assert minutes
    guide = (ROOT / "docs" / "enseigner.md").read_text("utf-8")
    assert re.search(rf"^\| `{path.stem}` \| {minutes[1]}\smin \|", guide, re.MULTILINE)
