"""What a person sees: one page, whose colour and words tell the version."""

from html import escape

# Colours that colour-blind people tell apart (Okabe and Ito's palette); the text says the version too.
COLOURS = {"v1": ("bleu", "#0072B2"), "v2": ("vert", "#009E73"), "v3": ("violet", "#AA4499")}
NO_COLOUR = ("gris", "#5B6470")

TEMPLATE = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vitrine {version}</title>
<style>
  body {{ margin: 0; font: 18px/1.5 system-ui, sans-serif; color: #1b2430; }}
  header {{ background: {code}; color: #fff; padding: 2rem; font-size: 2.2rem; font-weight: 700; }}
  main {{ padding: 2rem; }}
  dt {{ font-weight: 700; float: left; clear: left; width: 9rem; }}
</style>
</head>
<body>
<header>Vitrine, version {version}</header>
<main>
<p>{message}</p>
<dl>
  <dt>Couleur</dt><dd>{colour}</dd>
  <dt>Pod</dt><dd>{pod}</dd>
  <dt>Visites ici</dt><dd>{visits}</dd>
</dl>
</main>
</body>
</html>
"""


def colour_of(version: str) -> tuple[str, str]:
    """Return a version's colour: its French name and its code."""
    return COLOURS.get(version, NO_COLOUR)


def render(version: str, pod: str, message: str, visits: int) -> bytes:
    """Return the page."""
    colour, code = colour_of(version)
    page = TEMPLATE.format(
        version=escape(version),
        code=code,
        colour=colour,
        pod=escape(pod),
        message=escape(message),
        visits=visits,
    )
    return page.encode()
