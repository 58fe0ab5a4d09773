"""JupyterLab in a real browser, as `k8s-lab lab` opens it: what a student sees, reaches by the keyboard, and stops."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from browsing import CELL_MS, READY_S, faults, overflow_px
from live import eventually
from playwright.sync_api import expect

if TYPE_CHECKING:
    from browsing import Lab, Server

expect.set_options(timeout=60_000)

FIRST = "notebooks/00_accueil.ipynb"
EMPTY = "notebooks/essai.ipynb"
DRAWING = ".widget-html-content img[alt]:not([alt=''])"
CONNECT = "import k8s_helpers as kh; cluster = kh.connect()"


@pytest.fixture
def notebook(lab: Lab, server: Server) -> Lab:
    """An empty notebook, open."""
    import nbformat

    path = server.folder / EMPTY
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("[la vitrine](../apps/vitrine/README.md)"),
            nbformat.v4.new_code_cell(CONNECT),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(book, path)
    lab.open(EMPTY)
    lab.last()
    lab.run()
    lab.wait_idle()
    return lab


def test_the_first_notebook_runs_to_its_end_from_the_menu(lab: Lab) -> None:
    lab.open(FIRST)
    lab.menu("Run", "Run All Cells")
    lab.wait_idle()
    cells = lab.cells()
    assert all(cell["execution_count"] for cell in cells if "".join(cell["source"]).strip())
    errors = [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert errors == []
    assert overflow_px(lab.page) == 0


def test_links_lead_to_the_repository_s_files(notebook: Lab) -> None:
    link = notebook.panel.get_by_role("link", name="la vitrine")
    link.click()
    expect(notebook.page.get_by_role("tab", name="README.md")).to_be_visible()


def test_a_click_opens_a_terminal_on_the_cluster(notebook: Lab, server: Server) -> None:
    notebook.write("cluster.namespace('terminal').create().use(); kh.terminal()")
    notebook.run()
    button = notebook.panel.get_by_role("button", name="Ouvrir un terminal")
    button.click()
    notebook.page.wait_for_function(
        "jupyterapp.shell.currentWidget?.content?.session?.connectionStatus === 'connected'"
    )
    # Beside the notebook, which stays in sight.
    expect(notebook.page.locator(".jp-Terminal")).to_be_visible()
    expect(button).to_be_visible()
    notebook.page.locator(".xterm-helper-textarea").focus()
    # Completed by the Tab key: `get nodes`.
    written = server.folder / "nodes"
    notebook.page.keyboard.type(
        f"(pwd; k8s_lab_namespace; kubectl get nod\t --no-headers) > {written}.part; mv {written}.part {written}\n"
    )
    eventually(written.exists, READY_S)
    folder, namespace, nodes = written.read_text().split("\n", 2)
    assert Path(folder) == server.folder and " Ready " in nodes
    assert namespace.endswith("terminal")


def test_a_panel_is_moved_by_the_keyboard_and_has_names_for_its_controls(notebook: Lab) -> None:
    notebook.write("kh.panels.probe_timeline()")
    notebook.run()
    slider = notebook.panel.get_by_role("slider").first
    expect(slider).to_be_visible()
    result = notebook.panel.get_by_role("status").filter(has_text=re.compile("Ready|tué"))
    expect(result).to_be_visible()
    before = result.inner_text()
    slider.focus()
    for _ in range(4):
        notebook.page.keyboard.press("ArrowRight")
    expect(result).not_to_have_text(before)
    unnamed = notebook.panel.get_by_role("slider").evaluate_all(
        "all => all.filter(one => !one.ariaLabel && !one.getAttribute('aria-labelledby')).length"
    )
    assert unnamed == 0


def test_the_stop_button_says_three_lines(notebook: Lab) -> None:
    notebook.write("kh.labs.self_healing.measure()")
    notebook.run()
    expect(notebook.panel.locator("progress, [role=status]").first).to_be_visible(timeout=CELL_MS)
    notebook.panel.locator(
        "[data-jp-item-name=interrupt] button, [data-jp-item-name=interrupt]"
    ).first.click()
    notebook.wait_idle()
    (error,) = [out for out in notebook.cells()[-1]["outputs"] if out["output_type"] == "error"]
    assert error["ename"] == "Interrupted"
    assert len("\n".join(error["traceback"]).splitlines()) == 3, error["traceback"]


def test_a_notebook_that_is_opened_again_shows_its_panel_and_its_figures(notebook: Lab) -> None:
    notebook.write("kh.panels.update_parameters()")
    notebook.run()
    expect(notebook.panel.get_by_role("slider").first).to_be_visible()
    notebook.wait_idle()
    notebook.save()
    notebook.open(EMPTY)
    expect(notebook.panel.get_by_role("slider").first).to_be_visible()
    expect(notebook.panel.get_by_text("Error displaying widget")).to_have_count(0)
    expect(notebook.panel.locator(DRAWING).last).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_a_figure_can_be_read_at_1024_px_beside_the_file_browser(notebook: Lab, theme: str) -> None:
    notebook.page.set_viewport_size({"width": 1024, "height": 768})
    notebook.theme(theme)
    notebook.write("kh.panels.update_parameters()")
    notebook.run()
    image = notebook.panel.locator(DRAWING).last
    expect(image).to_be_visible()
    share = image.evaluate(
        "async one => { await one.decode(); return one.clientWidth / one.naturalWidth; }"
    )
    assert share >= 0.6
    assert overflow_px(notebook.page) == 0
    assert [
        fault for fault in faults(notebook.page, contrast=False) if "jp-OutputArea" in fault
    ] == []
    notebook.theme("JupyterLab Light")
