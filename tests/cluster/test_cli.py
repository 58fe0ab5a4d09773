"""`k8s-lab` as its users run it: a program of its own, on clusters of its own, judged by what it says and leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import image_files
import leftovers
import nbformat
import pytest
from live import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the embedded cluster needs Linux")

K8S_LAB = Path(sys.executable).parent / "k8s-lab"
BROKEN = (
    "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: https://127.0.0.1:1}}]\n"
)


def k8s_lab(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, on the embedded provider unless the variables say otherwise."""
    environment = {**os.environ, "K8S_HELPERS_PROVIDER": "embedded", **variables}
    return subprocess.run(
        [K8S_LAB, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def mistake(done: subprocess.CompletedProcess[str], exit_code: int) -> str:
    """Check that a command failed as a student may see it, and return what it said."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Constaté :" in done.stderr
    assert "À faire :" in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    """A cluster of these tests' own that `k8s-lab up` started; its name."""
    name = "ligne"
    done = k8s_lab("up", "--name", name)
    try:
        assert done.returncode == 0, done.stderr
        yield name
    finally:
        assert k8s_lab("down", "--name", name).returncode == 0
    assert k8s_lab("status", "--name", name).returncode == 5


def _clusters(home: Path) -> set[str]:
    return {folder.name for folder in home.glob("state/clusters/embedded/*")}


def test_status_is_told_to_people_and_programs(running: str) -> None:
    assert "en marche" in k8s_lab("status", "--name", running).stdout
    done = k8s_lab("status", "--name", running, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["provider"], told["name"], told["state"]) == ("embedded", running, "running")
    assert told["kubernetes_version"].startswith("v1.")
    assert all(component["running"] for component in told["components"])
    assert Path(told["kubeconfig"]).is_file()


def test_up_again_finds_it_running(running: str) -> None:
    before = json.loads(k8s_lab("status", "--name", running, "--json").stdout)
    began_s = time.monotonic()
    assert k8s_lab("up", "--name", running).returncode == 0
    assert time.monotonic() - began_s < 40
    assert json.loads(k8s_lab("status", "--name", running, "--json").stdout) == before


def test_kubectl_talks_to_it_and_its_exit_code_is_ours(running: str) -> None:
    variables = {"K8S_HELPERS_CLUSTER": running}
    done = k8s_lab("kubectl", "get", "nodes", "--output", "name", **variables)
    assert (done.stdout, done.returncode) == (f"node/{running}-node-1\n", 0), done.stderr
    assert k8s_lab("kubectl", "get", "nodes", "nobody", **variables).returncode == 1
    # What stands behind « -- » is for the pod; kubectl refuses a command without it.
    asked = k8s_lab("kubectl", "exec", "nobody", "--", "ls", "-l", **variables)
    assert 'pods "nobody" not found' in asked.stderr


def test_images_come_and_go_from_a_terminal(running: str, tmp_path: Path) -> None:
    cluster = {"K8S_HELPERS_CLUSTER": running}
    made = image_files.image(image_files.tar(*image_files.programs("sh")), Cmd=["sh", "-c", "exit"])
    archive = image_files.write_tar(
        tmp_path / "tools.tar", image_files.docker_files(made, "tools:1")
    )
    assert "tools:1 est là" in k8s_lab("image", "load", archive, **cluster).stdout
    (tmp_path / "Containerfile").write_text("FROM tools:1\nARG WORD\nENV WORD=$WORD\n")
    argument = ("--tag", "mine:1", "--build-arg", "WORD=x")
    assert "mine:1 est là" in k8s_lab("image", "build", tmp_path, *argument, **cluster).stdout
    listed = json.loads(k8s_lab("image", "list", "--json", **cluster).stdout)
    found = {image["name"]: (image["base"], image["origin"]) for image in listed}
    assert found["tools:1"] == ("", "loaded") and found["mine:1"] == ("tools:1", "built")
    assert found["host/shell"] == ("", "host")
    assert k8s_lab("image", "remove", "mine:1", **cluster).returncode == 0
    assert "aucune image" in mistake(k8s_lab("image", "remove", "mine:1", **cluster), 9)
    assert "programmes de cette machine" in mistake(
        k8s_lab("image", "remove", "host/shell", **cluster), 9
    )
    assert "connection refused" in mistake(k8s_lab("image", "pull", "tools:2", **cluster), 9)


def test_env_makes_a_shell_use_it(running: str) -> None:
    lines = k8s_lab("env", "--name", running).stdout
    script = (
        f"{lines}\nkubectl config current-context && kubectl get namespace default --output name"
    )
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "namespace/default", done.stderr


def _notebook(folder: Path, *cells: str, name: str = "essai") -> Path:
    path = folder / f"{name}.ipynb"
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source, id=f"c{index}") for index, source in enumerate(cells)
        ]
    )
    nbformat.write(notebook, path)
    return path


def test_a_notebook_is_run_saved_and_shown(tmp_path: Path) -> None:
    path = _notebook(tmp_path, "import os", "print(6 * 7, os.getcwd())")
    done = k8s_lab("run", path, "--save", "--html", tmp_path / "pages")
    assert done.returncode == 0, done.stderr
    assert "cellule 2 sur 2" in done.stderr
    saved = nbformat.read(path, as_version=4)
    assert saved.cells[1].outputs[0].text == f"42 {tmp_path}\n"
    assert "42" in (tmp_path / "pages" / "essai.html").read_text(encoding="utf-8")


def test_two_notebooks_at_once_have_a_cluster_each_and_the_second_goes(
    running: str, tmp_path: Path
) -> None:
    tell = """\
        import pathlib, time
        from k8s_helpers import connect
        own = pathlib.Path(f"{connect().provider.name}.seen")
        own.touch()
        end_s = time.monotonic() + 120
        while len(list(pathlib.Path().glob("*.seen"))) < 2 and time.monotonic() < end_s:
            time.sleep(0.1)
        print(sorted(str(path) for path in pathlib.Path().glob("*.seen")))"""
    paths = [_notebook(tmp_path, dedent(tell), name=name) for name in ("un", "deux")]
    done = k8s_lab("run", *paths, "--jobs", "2", "--name", running, "--html", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 notebook(s)" in done.stdout
    for path in paths:
        page = path.with_suffix(".html").read_text(encoding="utf-8")
        assert f"{running}-2.seen" in page and f"{running}.seen" in page
    assert k8s_lab("status", "--name", f"{running}-2").returncode == 5
    assert k8s_lab("status", "--name", running).returncode == 0
    found = k8s_lab("kubectl", "get", "nodes", K8S_HELPERS_PROVIDER="")  # the one in use
    assert running in found.stdout, found.stderr


def test_a_notebook_that_fails_ends_those_beside_it(running: str, tmp_path: Path) -> None:
    patient = _notebook(tmp_path, "import time; time.sleep(200)", name="patient")
    wrong = _notebook(tmp_path, "1 / 0", name="faux")
    done = k8s_lab("run", patient, wrong, "--jobs", "2", "--name", running)
    assert "ZeroDivisionError" in mistake(done, 15)


def test_ctrl_c_ends_the_cell_that_runs(tmp_path: Path) -> None:
    cell = """\
        import pathlib, time
        try:
            pathlib.Path("begun").touch()
            time.sleep(200)
        finally:
            pathlib.Path("tidy").touch()"""
    path = _notebook(tmp_path, dedent(cell))
    with subprocess.Popen([K8S_LAB, "run", path], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "cellule 1 sur 1" in process.stderr.readline()
        eventually((tmp_path / "begun").exists)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    assert (process.returncode, told.strip()) == (130, "Interrompu.")
    assert (tmp_path / "tidy").exists()


def test_several_at_once_want_clusters_of_their_own(tmp_path: Path) -> None:
    path = _notebook(tmp_path, "1")
    told = mistake(k8s_lab("run", path, path, "--jobs", "2", "--save"), 2)
    assert "« --save »" in told
    told = mistake(k8s_lab("run", path, path, "--jobs", "2", "--provider", "kind"), 2)
    assert "« kind »" in told


def test_a_cell_that_fails_is_shown_and_nothing_is_saved(tmp_path: Path) -> None:
    path = _notebook(tmp_path, "x = 1", "y = x / 0  # ici", "z = 3")
    before = path.read_bytes()
    told = mistake(k8s_lab("run", path, "--save"), 15)
    assert "cellule de code n° 2" in told
    assert "y = x / 0  # ici" in told
    assert "ZeroDivisionError" in told
    assert path.read_bytes() == before


def test_a_run_neither_knows_nor_changes_what_was_tried_before(tmp_path: Path) -> None:
    mine = tmp_path / "progress.json"
    cell = "from k8s_helpers import check; print(check('14-choisir', {}))"
    path = _notebook(tmp_path, cell)
    for _ in range(2):
        done = k8s_lab("run", path, "--save", K8S_HELPERS_PROGRESS=str(mine))
        assert done.returncode == 0, done.stderr
        assert "Indice 1 sur" in nbformat.read(path, as_version=4).cells[0].outputs[0].text
    assert not mine.exists()


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "essai.ipynb"
    mistake(k8s_lab("run", path), 15)
    path.write_text("{")
    assert "pas un notebook" in mistake(k8s_lab("run", path), 15)


def test_an_unknown_provider_is_refused() -> None:
    assert "minikube" in mistake(k8s_lab("up", "--provider", "minikube"), 2)


def test_a_cluster_that_does_not_run_is_told() -> None:
    told = mistake(k8s_lab("env", "--name", "personne"), 5)
    assert "personne" in told
    assert "k8s-lab up" in told


@pytest.mark.parametrize(
    "content", [None, "a: [", BROKEN], ids=["missing", "not YAML", "incomplete"]
)
def test_a_wrong_kubeconfig_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    told = mistake(k8s_lab("up", "--provider", "existing", "--kubeconfig", path), 5)
    assert str(path) in told


def test_replay_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    path.write_text('{"schema": 99}')
    assert "format 99" in mistake(k8s_lab("replay", path), 13)


def _start_up(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [K8S_LAB, "up", "--provider", "embedded", "--name", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.3, 1.0, 2.0])
def test_up_that_is_interrupted_leaves_nothing(
    number: signal.Signals, after_s: float, home: Path
) -> None:
    name = "coupe"
    process = _start_up(name)
    time.sleep(after_s)
    os.killpg(process.pid, number)  # as a terminal does: the whole foreground group
    # -number: the signal came before our first line; a shell shows both as the same status.
    assert process.wait(timeout=60) in (128 + number, -number, 0)
    if process.returncode == 0:  # it was quicker than the signal
        assert k8s_lab("down", "--name", name).returncode == 0

    def of_this_cluster() -> list[str]:
        processes = leftovers.our_processes(home / "state" / "clusters" / "embedded" / name)
        return [process.command for process in processes]

    assert leftovers.settled(of_this_cluster) == []
    assert k8s_lab("status", "--name", name).returncode == 5
    assert name not in _clusters(home)
