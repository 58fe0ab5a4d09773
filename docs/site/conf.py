"""The course as a site: `make site` renders the executed notebooks and the pages for teachers, without running any.

The source folder is the whole repository, so that links between notebooks, pages and applications hold in the site as
they do on GitHub. Nothing is fetched when a page is read: no font, script, formula or widget from elsewhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Kubernetes, mesuré"
author = "les auteurs du cours"
language = "fr"
locale_dirs = ["docs/site/locale"]
extensions = ["myst_nb", "slides", "finishing", "recaps"]
root_doc = "docs/site/index"
include_patterns = [
    "docs/site/*.md",
    "docs/*.md",
    "notebooks/[0-9]*.ipynb",
    "exercises/README.md",
    "hub/README.md",
    "apps/*/README.md",
]

html_theme = "furo"
html_title = project
html_extra_path = ["root"]
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_use_index = False
# Excerpts are fetched, which a browser refuses to a page that is opened as a file.
html_show_search_summary = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None

nb_execution_mode = "off"
# A figure's HTML has its text alternative; its PNG alone has none. Widgets need a kernel: the site shows their text.
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/png", 10)]
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_enable_extensions = ["attrs_block"]
myst_heading_anchors = 3
# Lines for the terminal (`!kubectl …`) are no Python.
suppress_warnings = ["mystnb.unknown_mime_type", "misc.highlighting_failure"]
