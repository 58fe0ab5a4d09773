"""How the command line takes mistakes: French, three parts, an exit code, never a traceback."""

from __future__ import annotations

import errno

import click
import pytest

from k8s_helpers import cli
from k8s_helpers._errors import ManifestError


def _told(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["statu"], "Vouliez-vous dire « status » ?"),
        (["zzz"], "Choisissez parmi : bundle, class, class-report, doctor"),
        (["status", "--jsn"], "l’option « --jsn » n’existe pas"),
        (["measure", "update"], "il manque « --out »"),
        (["measure", "upd"], "Vouliez-vous dire « update » ?"),
        (["measure", "update", "--out", __file__], "attendu : un dossier"),
        (["run"], "il manque « NOTEBOOK… »"),
    ],
)
def test_a_wrong_command_line_exits_2(
    arguments: list[str], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.call(arguments) == 2
    told = _told(capsys)
    assert found in told
    assert "Constaté :" in told
    assert "À faire :" in told


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def invoke() -> None:
        raise error

    monkeypatch.setitem(cli.group.commands, "casse", click.Command("casse", callback=invoke))


def test_an_error_of_ours_gives_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(monkeypatch, ManifestError("Appliquer a.yaml", "ligne 3", "Corrigez-la."))
    assert cli.call(["casse"]) == ManifestError.exit_code
    assert _told(capsys) == "Appliquer a.yaml\n  Constaté : ligne 3\n  À faire : Corrigez-la.\n"


def test_ctrl_c_exits_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(monkeypatch, KeyboardInterrupt())
    assert cli.call(["casse"]) == 130
    assert _told(capsys).strip() == "Interrompu."


def test_a_full_disk_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _raising(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/x/y"))
    assert cli.call(["casse"]) == 7
    told = _told(capsys)
    assert "/x/y" in told
    assert "plus de place" in told
    assert "K8S_HELPERS_HOME" in told


def test_no_command_at_all_gets_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call([]) == 2
    assert _told(capsys).startswith("Usage : k8s-lab")


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["measure", "--help"]])
def test_help_is_in_french(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(arguments) == 0
    told = capsys.readouterr().out
    assert told.startswith("Usage : k8s-lab")
    assert "..." not in told  # a summary that click has cut
    assert "«\n" not in told and "« " not in told  # an ordinary space where a line may break
    assert "Montre cette aide." in told
    for english in ("Commands:", "Show this", "[ARGS]"):
        assert english not in told
