"""Codes of the attempts of the lab `ingress`."""

from enum import StrEnum


class Who(StrEnum):
    """An Ingress, or a request by the name of the machine that it asks for (HTTP's `Host`)."""

    HOSTS = "ingress/hotes"
    PATHS = "ingress/chemins"
    LOST = "ingress/perdu"
    BOUTIQUE = "boutique.example.com"
    BLOG = "blog.example.com"
    UNKNOWN = "inconnu.example.com"
    APP = "mon-app.example.com"
    UNSERVED = "perdu.example.com"


class What(StrEnum):
    """What is looked for in an Ingress, or asked for by HTTP."""

    ADDRESS = "status.loadBalancer"
    ROOT = "GET /"
    API = "GET /api/info"
    APICULTURE = "GET /apiculture"


class Outcome(StrEnum):
    """The Service whose program answers, or whether there is an address; otherwise an HTTP status, 0 for none."""

    BOUTIQUE = "boutique"
    BLOG = "blog"
    ADDRESS = "address"
    NO_ADDRESS = "no-address"
