"""A lab is a folder and a line of the registry; what it lacks is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import LabError, RecordingError, UsageError
from k8s_helpers.cli import call
from k8s_helpers.measure.recording import Recording, Run

PARTS = {
    "__init__.py": '"""A lab that was added by adding a folder."""\n',
    "lab.py": 'from k8s_helpers.labs.lab import Lab\n\nLAB = Lab(name="horloge", title="L’heure du serveur d’API")\n',
    "experiment.py": (
        "from k8s_helpers.measure.recording import Recording, Run\n\n\n"
        "def measure(*, cluster=None, progress=None):\n"
        '    run = Run("maintenant", "2026-01-01T10:00:00+00:00", 1.0, {"late_s": 0.25})\n'
        '    return Recording("horloge", cluster.provider.kind, cluster.kubernetes_version, (run,))\n'
    ),
    "summary.py": (
        "from k8s_helpers.analysis.story import Story\n\n\n"
        "def to_json(recording):\n"
        '    return {"late_s": recording.runs[0].parameters["late_s"]}\n\n\n'
        "def to_story(recording):\n"
        '    return Story({"late": True}, {})\n'
    ),
    "chart.py": (
        "from k8s_helpers.draw import figure\n\n\n"
        "def draw(recording):\n"
        "    chart = figure.new(4, 3)\n"
        '    chart.alternative = "Le serveur d’API retarde de 0,25 s."\n'
        "    return chart\n"
    ),
}


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Add a lab: one folder, one line."""
    folder = tmp_path / "horloge"
    folder.mkdir()
    for name, text in PARTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(labs, "__path__", [*labs.__path__, str(tmp_path)])
    monkeypatch.setattr(labs, "LABS", (*labs.LABS, "horloge"))
    yield folder
    for name in [name for name in sys.modules if name.startswith("k8s_helpers.labs.horloge")]:
        del sys.modules[name]
    vars(labs).pop("horloge", None)


def recording(experiment: str = "horloge") -> Recording:
    run = Run("maintenant", "2026-01-01T10:00:00+00:00", 1.0, {"late_s": 0.25})
    return Recording(experiment, "embedded", "v1.37.0", (run,))


@pytest.mark.usefixtures("added")
def test_a_folder_and_a_line_make_a_lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = labs.get("horloge")
    assert labs.summarize(recording())["late_s"] == 0.25
    assert lab.to_story(recording()).verdicts == {"late": True}
    assert labs.draw(recording()).alternative == "Le serveur d’API retarde de 0,25 s."
    assert labs.tabulate(recording()) is None
    path = recording().save(tmp_path / "out" / "recording.json")
    assert call(["replay", str(path)]) == 0
    assert (tmp_path / "out" / "horloge.png").stat().st_size > 1000
    assert call(["measure", "--help"]) == 0
    assert "horloge" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["experiment.py", "summary.py", "chart.py"])
def test_a_part_that_lacks_is_named(added: Path, part: str) -> None:
    (added / part).unlink()
    lab = labs.get("horloge")
    with pytest.raises(LabError, match=rf"n’a pas de module « {part} »"):
        lab.part(part.removesuffix(".py"))  # type: ignore[arg-type]
    with pytest.raises(LabError, match=rf"n’a pas de module « {part} »"):
        lab.check()


def test_a_part_without_its_function_is_named(added: Path) -> None:
    (added / "summary.py").write_text("def to_json(recording):\n    return {}\n", encoding="utf-8")
    with pytest.raises(LabError, match="ne définit pas to_story"):
        labs.get("horloge").to_story(recording())


@pytest.mark.parametrize("text", [None, "x = 1\n"])
def test_a_folder_without_its_lab_is_said(added: Path, text: str | None) -> None:
    (added / "lab.py").unlink()
    if text is not None:
        (added / "lab.py").write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=r"n’a pas de module « lab.py » qui définisse LAB"):
        labs.get("horloge")


def test_a_fault_inside_a_part_is_not_taken_for_its_absence(added: Path) -> None:
    (added / "chart.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        labs.get("horloge").draw(recording())


def test_an_unknown_name_is_said_with_those_that_there_are() -> None:
    with pytest.raises(LabError, match=r"« cuisine »(.|\n)*update, "):
        labs.get("cuisine")
    with pytest.raises(RecordingError, match="« cuisine »"):
        labs.draw(recording("cuisine"))
    with pytest.raises(AttributeError):
        labs.cuisine  # noqa: B018


@pytest.mark.parametrize("name", labs.LABS)
def test_every_lab_has_all_its_parts(name: str) -> None:
    lab = labs.get(name)
    assert lab.name == name
    for part in lab.parts:
        assert lab.part(part)
    assert lab.title[0].isupper() and not lab.title.endswith(".")


def test_every_folder_is_in_the_registry() -> None:
    folders = {path.parent.name for path in Path(labs.__path__[0]).glob("*/lab.py")}
    assert folders == set(labs.LABS)


def test_measuring_imports_no_drawing() -> None:
    """The module of every experiment is imported without matplotlib."""
    code = (
        "import sys; from k8s_helpers import labs\n"
        "for name in labs.LABS: labs.get(name).part('experiment')\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_wrong_argument_is_refused_before_a_cluster_is_looked_for() -> None:
    with pytest.raises(UsageError):
        labs.update.measure(["nulle-part"])


def test_completion_offers_every_lab_and_no_import() -> None:
    offered = dir(labs)
    assert set(labs.LABS) <= set(offered)
    assert {"import_module", "annotations", "TYPE_CHECKING"}.isdisjoint(offered)
    assert all(hasattr(labs, name) for name in offered)


@pytest.mark.parametrize("name", labs.LABS)
def test_every_lab_has_tests_of_its_own_and_an_opposite(name: str) -> None:
    folder = Path(__file__).with_name(name)
    assert (folder / "opposite.py").exists()
    assert list(folder.glob("test_*.py"))
    assert labs.get(name).recordings()
