"""Programs: the only place that starts one (containers apart, see `node/runtime/spawner.py`), and who a process is."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from . import paths
from .errors import ExplainedError

_PR_SET_PDEATHSIG = 1
_PROC = Path("/proc")
_START_FIELD = 19
"""Of /proc/PID/stat, counted after the name in parentheses: field 22, `starttime` (`man 5 proc_pid_stat`)."""


class CommandError(ExplainedError):
    """A program failed, was not found or took too long.

    Attributes
    ----------
    argv : tuple of str
        The command line.
    returncode : int or None
        Its exit status; None when it never started or did not end in time.
    stderr : str
        What it wrote on standard error.
    """

    def __init__(
        self, argv: Sequence[str], returncode: int | None, stderr: str, found: str
    ) -> None:
        super().__init__(
            f"Exécuter « {' '.join(argv)} »",
            found,
            f"Lisez le message ci-dessus, puis lancez « {paths.command()} doctor ».",
        )
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stderr = stderr


@dataclass(frozen=True)
class Completed:
    """What a finished program left behind."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    check: bool = True,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote.

    Parameters
    ----------
    argv : sequence of str
        Program and arguments; never a shell line.
    timeout_s : float
        After this many seconds it is killed and `CommandError` raised.
    check : bool
        Raise where the exit status is not 0.
    stdin : str, optional
        Text given to its standard input; otherwise it has none.
    env : mapping, optional
        Added to this process's environment.
    cwd : Path, optional
        Folder it runs in.

    Raises
    ------
    CommandError
        Not found, too slow, or (with `check`) a status other than 0.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(
            argv, None, "", f"la commande « {argv[0]} » est introuvable ({error.strerror})"
        ) from None
    except subprocess.TimeoutExpired:
        raise CommandError(argv, None, "", f"pas de réponse en {timeout_s:.0f} s") from None
    if check and done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise CommandError(
            argv, done.returncode, done.stderr, f"code de sortie {done.returncode} : {tail}"
        )
    return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)


def stream(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
) -> Iterator[str]:
    """Run a program and yield each line it writes (both streams) as it comes.

    Closing the iterator before its end terminates the program.

    Raises
    ------
    CommandError
        Not found, or (with `check`) a status other than 0, with the last lines.
    """
    tail: list[str] = []
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **env} if env else None,
            cwd=cwd,
        )
    except FileNotFoundError as error:
        raise CommandError(
            argv, None, "", f"la commande « {argv[0]} » est introuvable ({error.strerror})"
        ) from None
    try:
        assert process.stdout is not None
        for line in process.stdout:
            tail = [*tail[-7:], line.rstrip("\n")]
            yield tail[-1]
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
    if check and process.returncode != 0:
        found = f"code de sortie {process.returncode} : " + "\n".join(tail)
        raise CommandError(argv, process.returncode, "\n".join(tail), found)


def _die_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return in_child


def spawn(
    argv: Sequence[str],
    *,
    log: Path | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    die_with_parent: bool = True,
    new_session: bool = False,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program that goes on by itself.

    Parameters
    ----------
    argv : sequence of str
        Program and arguments.
    log : Path, optional
        File both its streams are appended to; otherwise they are dropped.
    stdin, stdout : int, optional
        `subprocess.PIPE` or a file descriptor.
    env : mapping, optional
        Added to this process's environment.
    cwd : Path, optional
        Folder it runs in.
    die_with_parent : bool
        On Linux, the kernel kills it when the thread that starts it ends (`man 2 PR_SET_PDEATHSIG`):
        call from the main thread.
    new_session : bool
        Detach it from the terminal, so that Ctrl-C does not reach it.
    pass_fds : sequence of int
        Descriptors it inherits.

    Raises
    ------
    CommandError
        Where the program is not found.
    """
    preexec = _die_with_parent() if die_with_parent and sys.platform == "linux" else None
    sink = None
    if log is not None:
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=stdout
            if stdout is not None
            else (sink if sink is not None else subprocess.DEVNULL),
            stderr=sink if sink is not None else subprocess.DEVNULL,
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            start_new_session=new_session,
            preexec_fn=preexec,
            pass_fds=tuple(pass_fds),
        )
    except FileNotFoundError as error:
        raise CommandError(
            argv, None, "", f"la commande « {argv[0]} » est introuvable ({error.strerror})"
        ) from None
    finally:
        if sink is not None:
            os.close(sink)


def replace_by(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Become another program: same process, same terminal, and its exit code is ours.

    Parameters
    ----------
    argv : sequence of str
        Program, looked for on the PATH of `env`, and arguments.
    env : mapping
        Added to this process's environment.

    Raises
    ------
    CommandError
        Where the program is not found.
    """
    try:
        os.execvpe(argv[0], list(argv), {**os.environ, **env})
    except FileNotFoundError as error:
        raise CommandError(
            argv, None, "", f"la commande « {argv[0]} » est introuvable ({error.strerror})"
        ) from None


def identity() -> str:
    """Return what tells this process from all others, of other machines and other times too.

    What it left behind is known as nobody's once it has ended (see `has_ended`).
    """
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_start(pid) or ''}"


def has_ended(other: str) -> bool:
    """Return whether the process of that identity has certainly ended; never true of another machine's."""
    machine, _, rest = other.rpartition("/")
    machine, _, pid = machine.rpartition("/")
    if machine != _machine() or not pid.isdecimal():
        return False
    if not _exists(int(pid)):
        return True
    return bool(rest) and _start(int(pid)) not in (None, rest)


def _machine() -> str:
    """Return what two processes share when they can tell of each other: the boot, and the table of processes."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _start(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None where that cannot be read."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[_START_FIELD]
    except (OSError, IndexError):
        return None
