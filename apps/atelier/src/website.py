"""What clients see. No state of its own: the orders are the database's. A preview is computed here, and costs."""

import hashlib
import time
from html import escape

import client
from webserver import Application, RequestError

LONGEST_MS = 2000

PAGE = """<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="font: 18px/1.5 system-ui, sans-serif; margin: 2rem">
<h1>{title}, version {version}</h1>
<p>Cette page vient du pod <b>{pod}</b>.</p>
<table><tr><th>commande</th><th>affiche</th><th>état</th><th>ouvrier</th></tr>{rows}</table>
</body>
</html>
"""


class Web(Application):
    """What the site answers."""

    def __init__(self, settings, log) -> None:
        super().__init__(settings, log)
        self.routes |= {
            "/": {"GET": self._page},
            "/commandes": {"GET": self._orders, "POST": self._orders},
            "/apercu": {"GET": self._preview},
        }

    def facts(self) -> dict:
        """Tell who answers, and the workshop's name."""
        return {**super().facts(), "title": self.settings.title}

    def _orders(self, query, body):
        try:
            answer = client.ask(self.settings, "/commandes", body or None)
        except client.DatabaseError as error:
            # Its 401 is our own mistake, not our client's.
            status = 503 if error.status == 401 else error.status
            raise RequestError(status, str(error)) from None
        return (201 if body else 200), answer

    def _preview(self, query, body):
        """Compute for `ms` milliseconds of this processor: what grows with the clients."""
        try:
            wanted_ms = min(float(query.get("ms", "50")), LONGEST_MS)
        except ValueError:
            raise RequestError(400, "« ms » est un nombre de millisecondes.") from None
        end_s, drawn = time.thread_time() + wanted_ms / 1000, b""
        while time.thread_time() < end_s:
            drawn = hashlib.sha256(drawn).digest()
        return 200, {"preview": drawn.hex()[:12], "pod": self.settings.pod}

    def _page(self, query, body):
        _, answer = self._orders(query, {})
        rows = "".join(
            f"<tr><td>{order['id']}</td><td>{escape(order['text'])}</td>"
            f"<td>{order['state']}</td><td>{escape(order['by'])}</td></tr>"
            for order in answer["orders"]
        )
        title, version = escape(self.settings.title), escape(self.settings.version)
        return 200, PAGE.format(
            title=title, version=version, pod=escape(self.settings.pod), rows=rows
        )
