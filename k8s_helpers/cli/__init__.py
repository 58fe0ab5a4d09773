"""The command line `k8s-lab`: every command of the course, its exit codes and how errors reach the student."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from .. import _french
from .._errors import K8sHelpersError, ResourceError
from .._interruption import EXIT_CODE as INTERRUPTED
from .._interruption import Interrupted
from .french import FrenchGroup, usage_error

COMMANDS: Mapping[str, str] = {
    "up": "clusters.up",
    "down": "clusters.down",
    "status": "clusters.status",
    "kubectl": "clusters.kubectl",
    "env": "clusters.env",
    "namespaces": "clusters.namespaces",
    "fetch": "clusters.fetch",
    "doctor": "doctor.doctor",
    "exercise": "exercises.exercise",
    "image": "images.image",
    "lab": "jupyter.lab.lab",
    "run": "jupyter.notebooks.run_notebooks",
    "measure": "measures.measure",
    "replay": "measures.replay",
    "bundle": "bundle.bundle",
    "class": "classroom.classroom",
    "class-report": "classes.class_report",
    "student-copy": "classes.student_copy",
    "grade": "classes.grade",
}
"""Where each command is, below this package: its module is imported when it is asked for."""


class CourseCommands(FrenchGroup):
    """The commands of the course."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return their names."""
        return sorted({*COMMANDS, *self.commands})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name in COMMANDS and name not in self.commands:
            module, _, attribute = COMMANDS[name].rpartition(".")
            self.add_command(getattr(import_module(f"{__name__}.{module}"), attribute), name)
        return super().get_command(context, name)


group = CourseCommands(
    "k8s-lab",
    help="Le cours Kubernetes en ligne de commande : un vrai cluster, des mesures, des notebooks.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _end_by_signal(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _system_error(error: OSError) -> K8sHelpersError:
    where = f" ({error.filename})" if error.filename else ""
    advice = "Vérifiez ce fichier et vos droits, puis relancez."
    if error.errno == errno.ENOSPC:
        advice = (
            "Libérez de la place, ou désignez un autre disque par la variable K8S_HELPERS_HOME."
        )
    return ResourceError("Exécuter la commande", f"{_french.system(error)}{where}", advice)


def call(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are written on standard error.

    Parameters
    ----------
    arguments : sequence of str
        What follows `k8s-lab`.
    """
    try:
        result = group.main(args=list(arguments), prog_name="k8s-lab", standalone_mode=False)
    except click.Abort as error:
        stopped = error.__cause__
        click.echo(str(stopped) if isinstance(stopped, Interrupted) else "Interrompu.", err=True)
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        return _fail(usage_error(error))
    except K8sHelpersError as error:
        return _fail(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # silences the flush at exit
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _fail(_system_error(error))
    return result if isinstance(result, int) else 0


def _fail(error: K8sHelpersError) -> int:
    click.echo(str(error), err=True)
    return error.exit_code


def main() -> None:
    """Be the program `k8s-lab`: a request to end (SIGTERM, a closed terminal) cleans up as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _end_by_signal)
    signal.signal(signal.SIGHUP, _end_by_signal)
    sys.exit(call(sys.argv[1:]))
