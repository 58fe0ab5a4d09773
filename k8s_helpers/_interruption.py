"""The stop button (Ctrl-C): three French lines instead of a traceback, and tidying that a second press does not cut.

What a student calls is `stoppable`. The first press raises `Interrupted` wherever the work is; from then on, while it
travels up and each block tidies what it made, further presses change nothing.
"""

from __future__ import annotations

import functools
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType, FunctionType, TracebackType
from typing import Any, ParamSpec, TypeVar

from . import _progress

EXIT_CODE = 130
"""What a shell calls a program that Ctrl-C ended: 128 + SIGINT."""

TIDYING_S = 60.0
"""A press that comes so long after the first one cuts the tidying too: what is left, the next `connect` deletes."""

PRINTING_S = 3.0
"""For so long after a call was stopped a notebook may still be showing it."""

AGAIN_S = 0.01
"""How soon an interruption that was lost is made once more."""

_MODULES = ("images", "panels")
"""Parts of the package whose functions are called by the part's name: `panels.decision_aid`."""

Handler = Callable[[int, FrameType | None], Any] | int | None
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Class = TypeVar("Class", bound=type)


class Interrupted(KeyboardInterrupt):
    """The student stopped what was going on. A `KeyboardInterrupt`, so that nothing takes it for an error.

    Parameters
    ----------
    what : str
        What was going on, as the student called it ("labs.update.measure").
    trouble : str
        What went wrong while it was tidied, in French; empty where nothing did.

    Attributes
    ----------
    tried, found, advice : str
        The three lines, as those of a `K8sHelpersError`.
    """

    def __init__(self, what: str, trouble: str = "") -> None:
        super().__init__(what, trouble)
        self.tried = f"Exécuter {what}"
        self.found = "vous l’avez arrêté avant la fin (bouton ■ ou Ctrl-C)"
        self.advice = "Relancez la cellule quand vous voulez : une mesure interrompue ne laisse rien dans le cluster."
        if trouble:
            self.found += f" ; le rangement n’a pas pu finir ({trouble})"
            self.advice = (
                "Exécutez « k8s_helpers.connect() », qui finit de ranger, puis relancez la cellule."
            )

    def __str__(self) -> str:
        return f"{self.tried}\n  Constaté : {self.found}\n  À faire : {self.advice}"

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook (IPython's hook)."""
        return [f"{type(self).__name__}: {self}"]


class _Presses:
    """What Ctrl-C does while one call of the student's goes on.

    Parameters
    ----------
    what : str
        The call.
    before : Handler
        What Ctrl-C did before it.
    tidies : bool
        The call does nothing but tidy: a press is heard at its end.

    Attributes
    ----------
    before
        As above.
    pressed, over : bool
        Whether there was any press; whether the call has ended.
    """

    def __init__(self, what: str, before: Handler, *, tidies: bool) -> None:
        self.before = before
        self.pressed = False
        self.over = False
        self._what = what
        self._tidies = tidies
        self._interruption: weakref.ref[Interrupted] | None = None
        self._deaf_until_s = time.monotonic() + TIDYING_S
        self._hook = sys.unraisablehook
        sys.unraisablehook = self.lost

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Be the handler of SIGINT."""
        self.pressed = True
        if (self._tidies or self.interrupted) and time.monotonic() < self._deaf_until_s:
            return
        if self.over:
            raise KeyboardInterrupt
        raise self.interruption()

    def lost(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Be `sys.unraisablehook`: press again, in a moment, for an interruption that nobody could receive.

        A press that falls into the callback of a weak reference, or into a `__del__`, raises there; Python prints that
        as an ignored exception and goes on.
        """
        if not isinstance(unraisable.exc_value, Interrupted):
            self._hook(unraisable)
            return
        self._interruption = None
        again = threading.Timer(AGAIN_S, self._press)
        again.daemon = True
        again.start()

    def _press(self) -> None:
        main = threading.main_thread().ident
        if main is not None and not self.over:
            signal.pthread_kill(main, signal.SIGINT)

    @property
    def interrupted(self) -> bool:
        """Whether an interruption is on its way up: nobody holds it any more where something has swallowed it."""
        return self._interruption is not None and self._interruption() is not None

    def interruption(self, trouble: str = "") -> Interrupted:
        """Return what to raise. In a frame of its own: a variable beside a `raise` would hold it for ever."""
        made = Interrupted(self._what, trouble)
        if self._interruption is None:
            self._deaf_until_s = time.monotonic() + TIDYING_S
        self._interruption = weakref.ref(made)
        return made

    def remove(self) -> None:
        """Give Ctrl-C back to who had it.

        Not while a notebook still has to show the interruption: a press then would print the traceback of the printing.
        The kernel itself sets what Ctrl-C does at the end of each cell.
        """
        self.over = True
        if sys.unraisablehook == self.lost:
            sys.unraisablehook = self._hook
        self._tidies = False
        self._deaf_until_s = time.monotonic() + PRINTING_S
        if not (self.interrupted and _progress.in_notebook()):
            signal.signal(signal.SIGINT, self.before)


def stoppable(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return a function that Ctrl-C ends with `Interrupted`, after all that it began has been tidied.

    For what a student calls. A call from within another such call is part of it; one from another thread than the main
    one does not hear Ctrl-C.
    """
    what = _called(function)

    @functools.wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if not _outermost():
            return function(*args, **kwargs)
        presses = _Presses(what, _present(), tidies=False)
        try:
            signal.signal(signal.SIGINT, presses)
            return function(*args, **kwargs)
        except KeyboardInterrupt:
            _show_outside_notebooks()
            raise presses.interruption() from None
        except Exception as error:
            if not presses.interrupted:
                raise
            _show_outside_notebooks()
            raise presses.interruption(str(getattr(error, "found", error))) from None
        finally:
            presses.remove()

    return call


def _exit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an `__exit__` that Ctrl-C does not cut; of a block that was interrupted it makes `Interrupted`."""
    what = _called(function).removesuffix(".__exit__")

    @functools.wraps(function)
    def leave(
        self: object,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        if not _outermost():
            return function(self, kind, error, trace)
        presses = _Presses(what, _present(), tidies=True)
        try:
            signal.signal(signal.SIGINT, presses)
            result = function(self, kind, error, trace)
            stopped = presses.pressed if kind is None else issubclass(kind, KeyboardInterrupt)
            if not stopped:
                return result
            _show_outside_notebooks()
            raise presses.interruption() from None
        finally:
            presses.remove()

    return leave


def stoppable_class(kind: Class) -> Class:
    """Make each public method of a class `stoppable`, and `with` on it too."""
    for name, member in list(vars(kind).items()):
        if not isinstance(member, FunctionType):
            continue
        if name == "__exit__":
            setattr(kind, name, _exit(member))
        elif name == "__enter__" or not name.startswith("_"):
            setattr(kind, name, stoppable(member))
    return kind


def _outermost() -> bool:
    """Return whether a call that begins now is the one to answer to Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        return False
    present = signal.getsignal(signal.SIGINT)
    if isinstance(present, _Presses):
        return present.over
    # Who has asked for something else on Ctrl-C keeps it; but the kernel, for a cell with `await`, hears it too late.
    return present is signal.default_int_handler or _progress.in_notebook()


def _present() -> Handler:
    present = signal.getsignal(signal.SIGINT)
    return present.before if isinstance(present, _Presses) else present


def _called(function: Callable[..., object]) -> str:
    """Return how a student calls it."""
    _, _, path = function.__module__.partition(".")
    part, *deeper = path.split(".")
    name = function.__qualname__
    if part == "labs" and len(deeper) > 1:
        return f"labs.{deeper[0]}.{name}"
    if part == "builds":
        part = deeper[0]
    return f"{part}.{name}" if part in _MODULES else name


def _show_outside_notebooks() -> None:
    """Have a plain Python, too, end with the three lines and with a shell's exit code for Ctrl-C."""
    if _progress.in_notebook() or sys.excepthook is _shown:
        return
    global _before
    _before, sys.excepthook = sys.excepthook, _shown


_before = sys.__excepthook__


def _shown(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, Interrupted):
        _before(kind, error, trace)
        return
    print(error, file=sys.stderr)
    raise SystemExit(EXIT_CODE)
