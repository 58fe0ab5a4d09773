"""What every panel is: native controls that the keyboard reaches, and a result that screen readers read out.

A panel holds no logic: a pure function of its controls' values makes the result (HTML). Where outputs may not change
(a stored notebook, CI, a static page), the panel shows that result once, with its controls' values in words.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from .. import _progress
from .._french import number, typeset

Controls = Mapping[str, widgets.ValueWidget]

_WIDE = {"description_width": "15em"}
_LAYOUT = {"width": "36em", "max_width": "100%"}

_NAMES = (
    '<img alt="" style="display:none" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=" onload="'
    "const live = this.closest('.widget-html-content');"
    "live.setAttribute('role', 'status'); live.setAttribute('aria-live', 'polite');"
    "for (const slider of this.closest('.jp-OutputArea, body').querySelectorAll('.widget-slider'))"
    "{ slider.querySelector('[role=slider]')?.setAttribute('aria-label', slider.querySelector('label').textContent); }"
    '">'
)
"""What ipywidgets leaves out, done when the result is drawn: sliders take their label as a name, and the place of the
result, which stays while what is in it changes, is the one that screen readers listen to."""


class Panel:
    """Controls, and what follows from their values.

    Parameters
    ----------
    title : str
        In French.
    controls : mapping of str to widget
        By the name that `render` knows them by, in their order.
    render : callable
        Takes the values by name, returns HTML.
    groups : mapping of str to sequence of str, optional
        Names of controls under a heading of their own, side by side where there is room; otherwise all are in a column.
    needed_by : mapping of str to sequence of str, optional
        By the name of a box: the controls that mean nothing unless it is ticked.

    Attributes
    ----------
    box : ipywidgets.VBox
        The whole panel.
    result : ipywidgets.HTML
        What `render` returned last.
    """

    def __init__(
        self,
        title: str,
        controls: Controls,
        render: Callable[..., str],
        groups: Mapping[str, Sequence[str]] | None = None,
        needed_by: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._title = title
        self._controls = dict(controls)
        self._render = render
        self._groups = groups or {"": tuple(controls)}
        self._needed_by = needed_by or {}
        self.result = widgets.HTML()
        self.box = widgets.VBox([widgets.HTML(f"<strong>{html.escape(title)}</strong>")])
        self.box.children = (*self.box.children, *self._laid_out(), self.result)
        for control in self._controls.values():
            control.observe(self._update, names="value")
        self._update()

    def _laid_out(self) -> tuple[widgets.Widget, ...]:
        """Return the controls, in columns that wrap where they have headings."""
        if "" in self._groups:
            return tuple(self._controls.values())
        columns = [
            widgets.VBox(
                [
                    widgets.HTML(f"<strong>{html.escape(heading)}</strong>"),
                    *(self._controls[name] for name in names),
                ]
            )
            for heading, names in self._groups.items()
        ]
        return (widgets.HBox(columns, layout={"flex_flow": "row wrap"}),)

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values, by name."""
        return {name: control.value for name, control in self._controls.items()}

    def set(self, **values: Any) -> None:
        """Set controls, as a hand on them would."""
        for name, value in values.items():
            self._controls[name].value = value

    def _update(self, change: object = None) -> None:
        for name, others in self._needed_by.items():
            for other in others:
                self._controls[other].disabled = not self._controls[name].value
        self._body = typeset(self._render(**self.values))
        self.result.value = self._body + _NAMES

    def _page(self) -> str:
        """Return the panel as a page that does not move: the values in words, then the result."""
        rows = "".join(self._values_in_words())
        note = "Exécutez cette cellule dans JupyterLab pour changer ces réglages."
        return typeset(
            f"<p><strong>{html.escape(self._title)}</strong></p><ul>{rows}</ul>"
            f"<div role='status'>{self._body}</div><p><em>{note}</em></p>"
        )

    def _values_in_words(self) -> Iterator[str]:
        """Yield the values in words: one item each, or one a group."""
        for heading, names in self._groups.items():
            words = [
                f"{html.escape(control.description)} : {html.escape(_words(control))}"
                for control in (self._controls[name] for name in names)
            ]
            if heading:
                yield f"<li><strong>{html.escape(heading)}</strong> · {' · '.join(words)}</li>"
            else:
                yield from (f"<li>{value}</li>" for value in words)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        settings = ", ".join(
            f"{control.description} = {_words(control)}" for control in self._controls.values()
        )
        # HTML is what a reader without widgets shows, and JupyterLab where the notebook comes from somebody else.
        bundle = {"text/plain": f"{self._title} ({settings})", "text/html": self._page()}
        if not _progress.live_display():
            return bundle
        live = self.box._repr_mimebundle_()
        return {**live, **bundle}


def _words(control: widgets.ValueWidget) -> str:
    """Return a control's value as the student reads it."""
    if isinstance(control.value, bool):
        return "oui" if control.value else "non"
    label = getattr(control, "label", None)
    return str(label if label is not None else control.value).replace(".", ",")


def integer(description: str, value: int, low: int, high: int, step: int = 1) -> widgets.IntSlider:
    """Return a slider of whole numbers; arrow keys move it, its number can be typed."""
    return widgets.IntSlider(
        value, low, high, step, description=description, style=_WIDE, layout=_LAYOUT
    )


def decimal(
    description: str, value: float, low: float, high: float, step: float
) -> widgets.SelectionSlider:
    """Return a slider of decimal numbers, written as in French; arrow keys move it.

    A `FloatSlider` lets its number be typed, and reads "2,5" as 2.
    """
    regular = (round(low + index * step, 6) for index in range(round((high - low) / step) + 1))
    values = sorted({value, *regular})
    return widgets.SelectionSlider(
        options=[(number(choice), choice) for choice in values],
        value=value,
        description=description,
        style=_WIDE,
        layout=_LAYOUT,
    )


def choice(
    description: str, options: Sequence[Any] | Sequence[tuple[str, Any]], value: Any
) -> widgets.Dropdown:
    """Return a list to choose from."""
    return widgets.Dropdown(
        options=list(options), value=value, description=description, style=_WIDE, layout=_LAYOUT
    )


def yes(description: str, value: bool = False) -> widgets.Checkbox:
    """Return a box to tick."""
    wide = {"width": "auto", "max_width": "100%"}
    return widgets.Checkbox(value, description=description, indent=True, style=_WIDE, layout=wide)


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table whose first column names its rows; cells are HTML already."""
    cell = "text-align:left;padding:.15em 1em .15em 0;vertical-align:top"
    head = "".join(f'<th scope="col" style="{cell}">{title}</th>' for title in header)
    body = "".join(
        f'<tr><th scope="row" style="{cell}">{first}</th>'
        + "".join(f'<td style="{cell}">{text}</td>' for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
