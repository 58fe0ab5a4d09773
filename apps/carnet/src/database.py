"""The database: takes notes, gives them back, from its own folder only. It knows of no other one."""

import time

import tracing
from journal import Journal
from webserver import Application, RequestError


class Base(Application):
    """What the database answers."""

    def __init__(self, settings, log) -> None:
        super().__init__(settings, log)
        self._journal = Journal(settings.data_dir)
        self.routes["/notes"] = {"GET": self._read, "POST": self._add}

    def facts(self) -> dict:
        """Tell who answers, and where it keeps its notes."""
        notes = {"data_dir": str(self.settings.data_dir), "notes": len(self._notes())}
        return {**super().facts(), **notes}

    def _read(self, body):
        return 200, {"notes": self._notes(), "database": self.settings.pod}, {}

    def _notes(self) -> list:
        with tracing.span(self.log, "lire le disque"):
            time.sleep(self.settings.disk_s)
            return self._journal.notes()

    def _add(self, body):
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise RequestError(400, 'Une note a un texte : {"text": "acheter du pain"}.')
        with tracing.span(self.log, "écrire sur le disque"):
            time.sleep(self.settings.disk_s)
            count = self._journal.add(text)
        return 201, {"count": count, "database": self.settings.pod}, {}
