"""How the site, and whoever types « carnet notes » in a pod, talks to the database."""

import json
import urllib.error
import urllib.request

import tracing

TIMEOUT_S = 2.0


class DatabaseError(Exception):
    """The database does not answer, or refuses; `status` is its HTTP status, 503 where there is none."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def ask(database_url: str, path: str = "/notes", body: dict | None = None) -> dict:
    """Read from the database, or send it a body; return its answer."""
    data = None if body is None else json.dumps(body).encode()
    about = {"Content-Type": "application/json"} if data else {}
    request = urllib.request.Request(database_url + path, data, about | tracing.headers())
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read(2000).decode(errors="replace").strip()
        raise DatabaseError(error.code, _message(text)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DatabaseError(503, f"La base {database_url} ne répond pas : {reason}.") from None


def _message(text: str) -> str:
    """Return the sentence of an answer that is an error."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text
