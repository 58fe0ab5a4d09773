"""How the web and the worker talk to the database."""

import json
import urllib.error
import urllib.request

TIMEOUT_S = 2.0


class DatabaseError(Exception):
    """The database does not answer, or refuses; `status` is its HTTP status, 503 where there is none."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def ask(settings, path: str, body: dict | None = None) -> dict:
    """Read from the database, or send it a body; return its answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {settings.password}", "Content-Type": "application/json"}
    request = urllib.request.Request(settings.base_url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise DatabaseError(error.code, _message(error.read(2000))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DatabaseError(503, f"La base {settings.base_url} ne répond pas : {reason}.") from None


def _message(text: bytes) -> str:
    """Return the sentence of an answer that is an error."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace").strip()
