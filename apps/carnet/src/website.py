"""The site: no state of its own; each request asks the database that DATABASE_URL names."""

from html import escape

import client
import tracing
from webserver import Application, RequestError

PAGE = """<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><title>Le carnet</title></head>
<body style="font: 18px/1.5 system-ui, sans-serif; margin: 2rem">
<h1>Le carnet, version {version}</h1>
<p>Cette page vient du pod <b>{pod}</b>, ses notes de la base <b>{database}</b>.</p>
<ol>{items}</ol>
</body>
</html>
"""


class Site(Application):
    """What the site answers; the header X-Database-Pod says which database was asked."""

    def __init__(self, settings, log) -> None:
        super().__init__(settings, log)
        self.routes["/"] = {"GET": self._page}
        self.routes["/notes"] = {"GET": self._notes, "POST": self._notes}
        self.routes["/bilan"] = {"GET": self._report}

    def facts(self) -> dict:
        """Tell who answers, and which database it asks."""
        return {**super().facts(), "database_url": self.settings.database_url}

    def _ask(self, body: dict, path: str = "/notes") -> dict:
        name = f"{'POST' if body else 'GET'} {path}"
        try:
            with tracing.span(self.log, name, "client"):
                return client.ask(self.settings.database_url, path, body or None)
        except client.DatabaseError as error:
            raise RequestError(error.status, str(error)) from None

    def _notes(self, body):
        answer = self._ask(body)
        status = 201 if body else 200
        return status, {**answer, "pod": self.settings.pod}, _asked(answer)

    def _report(self, body):
        """Tell how many notes there are, and the last one: two questions, one after the other."""
        count = self._ask({}, "/api/info")["notes"]
        answer = self._ask({})
        last = answer["notes"][-1] if answer["notes"] else None
        return 200, {"count": count, "last": last, "pod": self.settings.pod}, _asked(answer)

    def _page(self, body):
        answer = self._ask({})
        text = PAGE.format(
            version=escape(self.settings.version),
            pod=escape(self.settings.pod),
            database=escape(answer["database"]),
            items="".join(f"<li>{escape(note)}</li>" for note in answer["notes"]),
        )
        return 200, text, _asked(answer)


def _asked(answer: dict) -> dict:
    return {"X-Database-Pod": answer["database"]}
