"""click in French: its headings, its help option and its errors."""

from __future__ import annotations

from typing import Any

import click

from .._errors import UsageError
from .._french import nearest_or_all, typeset

_WORDS = {
    "Usage:": "Usage :",
    "Options:": "Options :",
    "Commands:": "Commandes :",
    "Show this message and exit.": "Montre cette aide.",
    "[required]": "[obligatoire]",
    "COMMAND [ARGS]...": "COMMANDE [ARGUMENTS]…",
}

_WHOLE = 200
"""Longest first sentence of a help text."""

_EXPECTED = {"integer": "un nombre entier", "directory": "un dossier", "file": "un fichier"}
"""What click's types of parameters are called in French."""


def _translate(text: str) -> str:
    for english, french in _WORDS.items():
        text = text.replace(english, french)
    return text


class FrenchCommand(click.Command):
    """A command whose help is in French throughout: its headings, its spaces, and no summary cut short."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = typeset(self.help or "")
        for option in self.params:
            if isinstance(option, click.Option):
                option.help = typeset(option.help or "")

    def get_help(self, ctx: click.Context) -> str:
        """Return the help text."""
        return _translate(super().get_help(ctx))

    def get_short_help_str(self, limit: int = _WHOLE) -> str:
        """Return the first sentence, whole: the list of commands wraps it."""
        # click takes all spaces for one kind
        return typeset(super().get_short_help_str(max(limit, _WHOLE)))


class FrenchGroup(FrenchCommand, click.Group):
    """A group of such commands, which says what it has when asked for what it has not."""

    command_class = FrenchCommand
    group_class = type

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with.

        Raises
        ------
        UsageError
            Where there is none, with the nearest name or all of them.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            names = self.list_commands(ctx)
            raise UsageError(
                f"Comprendre « {ctx.command_path} {name} »",
                f"« {name} » n’est pas une commande",
                nearest_or_all(name, names, "Choisissez parmi"),
            )
        return super().resolve_command(ctx, args)


def usage_error(error: click.ClickException) -> UsageError:
    """Return click's error about the command line as one of ours, in French."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "k8s-lab"
    return UsageError(f"Comprendre « {path} »", _reason(error), f"Voyez « {path} --help ».")


def _reason(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        near = f" (proche : {', '.join(error.possibilities)})" if error.possibilities else ""
        return f"l’option « {error.option_name} » n’existe pas{near}"
    if not isinstance(error, click.BadParameter) or error.param is None:
        return error.format_message()
    name = error.param.opts[0]
    if not name.startswith("-"):
        name = error.param.human_readable_name
    if isinstance(error, click.MissingParameter):
        return f"il manque « {name} »"
    expected = _EXPECTED.get(error.param.type.name, error.message)
    return f"la valeur de « {name} » ne convient pas (attendu : {expected})"
