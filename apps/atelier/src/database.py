"""The database: keeps the orders, and answers nobody who does not know its password."""

import hmac

from orders import Orders
from webserver import Application, RequestError

LONGEST_S = 60.0


class Base(Application):
    """What the database answers."""

    def __init__(self, settings, log) -> None:
        super().__init__(settings, log)
        self._orders = Orders(settings.data_dir)
        self.routes |= {
            "/commandes": {"GET": self._all, "POST": self._add},
            "/prendre": {"POST": self._take},
            "/signe": {"POST": self._renew},
            "/faite": {"POST": self._finish},
        }

    def require_right(self, path: str, headers) -> None:
        """Raise RequestError for who does not know the password; health and `/api/info` are for all."""
        if path.startswith(("/healthz/", "/api/info")):
            return
        given = headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.settings.password}".encode()):
            raise RequestError(401, "Ce n’est pas le mot de passe de la base.")

    def facts(self) -> dict:
        """Tell who answers, and how many orders it keeps."""
        return {**super().facts(), "orders": len(self._orders.all())}

    def _all(self, query, body):
        return 200, {"orders": self._orders.all(), "database": self.settings.pod}

    def _add(self, query, body):
        text, seconds = body.get("text"), body.get("seconds", 1)
        if not isinstance(text, str) or not text.strip():
            raise RequestError(400, 'Une commande a un texte : {"text": "Soldes", "seconds": 2}.')
        if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_S:
            raise RequestError(400, f"« seconds » va de 0 à {LONGEST_S:g}.")
        return 201, self._orders.add(text[:200], seconds)

    def _take(self, query, body):
        return 200, {"order": self._orders.take(_text(body, "by"))}

    def _renew(self, query, body):
        return 200, {"yours": self._orders.renew(_id(body), _text(body, "by"))}

    def _finish(self, query, body):
        done = self._orders.finish(_id(body), _text(body, "by"), _text(body, "result"))
        return 200, {"yours": done}


def _id(body: dict) -> int:
    if not isinstance(body.get("id"), int):
        raise RequestError(400, "Il manque « id ».")
    return body["id"]


def _text(body: dict, name: str) -> str:
    if not isinstance(body.get(name), str):
        raise RequestError(400, f"Il manque « {name} ».")
    return body[name]
