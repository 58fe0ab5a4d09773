"""Ctrl-C in what a student calls: three lines, and tidying that further presses do not cut."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator

import pytest

import k8s_helpers
from k8s_helpers import labs
from k8s_helpers._interruption import Interrupted, stoppable, stoppable_class
from k8s_helpers.builds import images

PUBLIC = [
    *(getattr(labs, name).measure for name in labs.LABS),
    *(images.ensure, images.configuration, images.spring),
    *(k8s_helpers.connect, k8s_helpers.check),
    *(
        member
        for kind in (
            k8s_helpers.Cluster,
            k8s_helpers.Namespace,
            k8s_helpers.Recorder,
            k8s_helpers.Traffic,
        )
        for name, member in vars(kind).items()
        if inspect.isfunction(member)
        and (not name.startswith("_") or name in ("__enter__", "__exit__"))
    ),
]


@pytest.mark.parametrize("function", PUBLIC, ids=lambda one: one.__qualname__)
def test_all_that_a_student_waits_for_can_be_stopped(function: object) -> None:
    assert inspect.unwrap(function) is not function  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def as_at_a_terminal() -> Iterator[None]:
    """Python's own handler of Ctrl-C: whoever started pytest in the background has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_press_stops_and_the_next_ones_do_not_cut_the_tidying() -> None:
    tidied = []

    @stoppable
    def work() -> None:
        try:
            press()
            time.sleep(10)
        finally:
            press()
            tidied.append("half")
            press()
            tidied.append("all")

    with pytest.raises(Interrupted) as caught:
        work()
    assert tidied == ["half", "all"]
    assert str(caught.value).count("\n") == 2 and "Constaté : vous l’avez arrêté" in str(
        caught.value
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_fails_while_it_is_tidied_is_told_with_the_stop() -> None:
    @stoppable
    def work() -> None:
        try:
            press()
        finally:
            raise ValueError("le disque est plein")

    with pytest.raises(Interrupted, match="n’a pas pu finir"):
        work()


def test_an_interruption_that_something_swallowed_does_not_make_deaf() -> None:
    @stoppable
    def work() -> None:
        with contextlib.suppress(BaseException):
            press()
        press()

    with pytest.raises(Interrupted):
        work()


class Presses:
    """Something that Ctrl-C falls upon while Python does away with it: what is raised there, nobody receives."""

    def __del__(self) -> None:
        press()


@pytest.mark.parametrize("by", ["__del__", "the callback of a weak reference"])
def test_a_press_where_python_ignores_exceptions_is_heard_a_moment_later(
    by: str, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = sys.unraisablehook

    @stoppable
    def work() -> None:
        if by == "__del__":
            Presses()
        else:
            going = frozenset({by})
            noticed = weakref.ref(going, lambda _: press())
            del going
            assert noticed() is None
        time.sleep(10)

    with pytest.raises(Interrupted):
        work()
    assert "Traceback" not in capfd.readouterr().err
    assert sys.unraisablehook is hook


def test_other_exceptions_that_python_ignores_go_where_they_went_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: ignored.append(args.exc_type))

    class Fails:
        def __del__(self) -> None:
            raise ValueError

    @stoppable
    def work() -> None:
        Fails()

    work()
    assert ignored == [ValueError]


def test_an_error_that_was_there_before_stays_what_it_is() -> None:
    @stoppable
    def work() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        work()


@stoppable_class
class Room:
    """Is tidied with several presses."""

    def __init__(self) -> None:
        self.tidy = False

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *raised: object) -> None:
        press()
        press()
        self.tidy = True


def test_a_block_of_the_student_s_own_that_is_stopped_is_tidied_whole() -> None:
    room = Room()
    with pytest.raises(Interrupted, match="Exécuter Room"), room:
        raise KeyboardInterrupt
    assert room.tidy


def test_a_press_during_the_tidying_alone_is_heard_at_its_end() -> None:
    room = Room()
    with pytest.raises(Interrupted), room:
        pass
    assert room.tidy


def test_an_error_of_the_block_is_not_hidden_by_a_press() -> None:
    with pytest.raises(ZeroDivisionError), Room():
        raise ZeroDivisionError


@pytest.mark.parametrize("presses", [1, 3])
def test_a_plain_python_ends_with_the_three_lines_and_130(presses: int) -> None:
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from k8s_helpers._interruption import stoppable\n"
        "@stoppable\n"
        "def work():\n"
        "    try:\n"
        "        print('begun', flush=True); time.sleep(60)\n"
        "    finally:\n"
        "        time.sleep(0.7); print('tidied', flush=True)\n"
        "work()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and out == "tidied\n"
    assert len(err.splitlines()) == 3 and "Traceback" not in err
