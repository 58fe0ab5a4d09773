"""What a student may do, as one table: the Roles, the documentation and the tests are made from it. Pure.

Nothing in it is cluster-wide: every line becomes a rule of a Role, which counts in one namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..kube.classes import CONFIG_MAP, HOME, JOURNAL, POOL, class_labels

READ = ("get", "list", "watch")
CHANGE = ("create", "update", "patch", "delete")
ALL = (*READ, *CHANGE, "deletecollection")

ROLE = CONFIG_MAP
"""Name of the Role and of the RoleBinding in each namespace of a student."""

RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Grant:
    """One line of the table.

    Attributes
    ----------
    group : str
        API group; "" for the core one.
    resources, verbs : tuple of str
        As a Role writes them.
    reason : str
        What the course needs it for, in French.
    names : tuple of str
        The only objects that it is about; all of them where it is empty.
    guarded : bool
        It would let a student take away what the class has put there: only given where a policy guards that.
    """

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    reason: str
    names: tuple[str, ...] = ()
    guarded: bool = False

    def rule(self) -> dict[str, Any]:
        """Return it as a rule of a Role."""
        rule: dict[str, Any] = {
            "apiGroups": [self.group],
            "resources": list(self.resources),
            "verbs": list(self.verbs),
        }
        if self.names:
            rule["resourceNames"] = list(self.names)
        return rule

    def triples(self) -> Iterator[tuple[str, str, str]]:
        """Yield each (group, resource, verb)."""
        for resource in self.resources:
            for verb in self.verbs:
                yield self.group, resource, verb


POOL_RIGHTS = (
    Grant(
        "", ("namespaces",), ("get",), "lire son propre espace de noms (ses étiquettes, son état)"
    ),
    Grant(
        "",
        ("pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "serviceaccounts"),
        ALL,
        "ce que l’on crée, change et supprime dans tous les notebooks",
    ),
    Grant("", ("pods/log",), ("get",), "`kubectl logs`"),
    Grant(
        "",
        ("pods/exec", "pods/attach", "pods/portforward"),
        ("get", "create"),
        "`kubectl exec`, `attach` et `port-forward` ; plusieurs mesures lisent dans les conteneurs",
    ),
    Grant(
        "",
        ("pods/proxy", "services/proxy"),
        ("get", "create", "update", "patch", "delete"),
        "une requête à un programme, par le serveur d’API (un verbe par méthode HTTP)",
    ),
    Grant(
        "",
        ("pods/eviction",),
        ("create",),
        "`09-budget` : une éviction, que le PodDisruptionBudget refuse",
    ),
    Grant(
        "",
        ("pods/resize", "pods/ephemeralcontainers"),
        ("get", "update", "patch"),
        "`08-sur-place` (changer les ressources d’un pod en marche), `kubectl debug`",
    ),
    Grant(
        "",
        ("serviceaccounts/token",),
        ("create",),
        "`kubectl create token`, pour un compte de cet espace de noms",
    ),
    Grant(
        "",
        ("serviceaccounts",),
        ("impersonate",),
        "`06-moindre-privilege`, `kubectl --as` : essayer les droits d’un compte de cet espace de noms",
    ),
    Grant(
        "",
        ("endpoints", "replicationcontrollers"),
        READ,
        "`kubectl get all`, `kubectl describe service`",
    ),
    Grant(
        "",
        ("events",),
        (*READ, "delete", "deletecollection"),
        "`kubectl get events`, `kubectl describe` ; vider l’espace de noms avant de le rendre",
    ),
    Grant(
        "",
        ("resourcequotas", "limitranges"),
        READ,
        "lire ses quotas, et comprendre un refus",
    ),
    Grant(
        "",
        ("resourcequotas", "limitranges"),
        (*CHANGE, "deletecollection"),
        "08 et `17-epreuve-quota` : écrire un quota ; ce qui limite les pods d’un exercice",
        guarded=True,
    ),
    Grant(
        "apps",
        ("deployments", "statefulsets", "daemonsets", "replicasets"),
        ALL,
        "les contrôleurs du cours, de 01 à 17",
    ),
    Grant(
        "apps",
        ("deployments/scale", "statefulsets/scale", "replicasets/scale"),
        ("get", "update", "patch"),
        "`kubectl scale`",
    ),
    Grant("apps", ("controllerrevisions",), READ, "`kubectl rollout history` d’un StatefulSet"),
    Grant("batch", ("jobs", "cronjobs"), ALL, "`14-chaque-nuit`, le projet"),
    Grant("autoscaling", ("horizontalpodautoscalers",), ALL, "12 : l’autoscaling"),
    Grant("networking.k8s.io", ("ingresses", "networkpolicies"), ALL, "04 et `05-quarantaine`, 15"),
    Grant("policy", ("poddisruptionbudgets",), ALL, "09 : les budgets"),
    Grant("discovery.k8s.io", ("endpointslices",), READ, "voir qui un Service désigne"),
    Grant("events.k8s.io", ("events",), READ, "`kubectl events`"),
    Grant("metrics.k8s.io", ("pods",), READ, "`kubectl top pods`, et les mesures de 08"),
    Grant(
        "coordination.k8s.io",
        ("leases",),
        ALL,
        "dire qui occupe l’espace de noms (bail `k8s-helpers`)",
    ),
    Grant(
        "",
        ("pod",),
        READ,
        "`16-tableau-vide` : la faute d’orthographe à trouver ; il n’existe aucune ressource de ce nom",
    ),
    Grant(
        RBAC,
        ("roles", "rolebindings"),
        ALL,
        "06 : RBAC ; personne ne peut donner plus de droits qu’il n’en a",
    ),
    Grant(
        RBAC,
        ("clusterroles",),
        ("bind",),
        "`06-mot-de-passe` : lier un compte de cet espace de noms au rôle de lecture `view`",
        ("view",),
    ),
)
"""In each namespace of the pool."""

HOME_RIGHTS = (
    Grant(
        "", ("namespaces",), ("get",), "lire son propre espace de noms (ses étiquettes, son état)"
    ),
    Grant("", ("configmaps",), (*READ, "create"), f"lire `{CONFIG_MAP}`, et créer son journal"),
    Grant(
        "",
        ("configmaps",),
        ("update", "patch", "delete"),
        "tenir son journal, et rien d’autre",
        (JOURNAL,),
    ),
    Grant(
        "",
        ("pods",),
        (*READ, "create", "patch", "delete", "deletecollection"),
        "le pod du trafic, qui mesure de l’intérieur",
    ),
    Grant("", ("pods/log",), ("get",), "savoir pourquoi ce pod ne marche pas"),
    Grant("", ("pods/exec",), ("get", "create"), "commander le trafic, et en recevoir les mesures"),
    Grant(
        "",
        ("events", "resourcequotas", "limitranges"),
        READ,
        "expliquer un pod refusé ou qui attend",
    ),
    Grant(
        "coordination.k8s.io",
        ("leases",),
        (*READ, *CHANGE),
        "deux programmes d’un même étudiant s’entendent",
    ),
)
"""In the home namespace, where nobody works: what the course's own program needs."""

TEACHER_RIGHTS = (
    Grant(
        "",
        ("namespaces",),
        (*READ, "create", "update", "patch", "delete"),
        "créer ceux de la classe, et les supprimer à la fin ; RBAC ne sait pas limiter cela à un préfixe",
    ),
    Grant(
        "",
        ("serviceaccounts", "configmaps", "secrets", "resourcequotas", "limitranges", "pods"),
        ALL,
        "ce que la classe met dans chaque espace de noms",
    ),
    Grant("", ("serviceaccounts/token",), ("create",), "le jeton de chaque étudiant, avec une fin"),
    Grant(
        RBAC,
        ("roles", "rolebindings"),
        ALL,
        "les droits des étudiants ; on ne donne que ceux que l’on a",
    ),
    Grant("networking.k8s.io", ("networkpolicies",), ALL, "la séparation des étudiants"),
    Grant(
        "",
        ("nodes",),
        ("get", "list"),
        "facultatif : lire les plages d’adresses des pods (sinon `--pod-cidr`)",
    ),
    Grant(
        "scheduling.k8s.io",
        ("priorityclasses",),
        ("list",),
        "facultatif : interdire aux pods des étudiants toute priorité, pas seulement celles de Kubernetes",
    ),
    Grant(
        "admissionregistration.k8s.io",
        ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        (*READ, "create", "update", "patch", "delete"),
        "garder ce que la classe a mis (sinon `--no-policy`)",
        guarded=True,
    ),
    Grant(
        "admissionregistration.k8s.io",
        ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
        (*READ, "create", "update", "patch", "delete"),
        "facultatif, avec `--images` et Kubernetes 1.36 : `vitrine:v1` tapé au clavier devient l’image du registre",
    ),
)
"""What who makes a class needs everywhere, besides all that it gives to the students."""


def rights(role: str, *, policy: bool = True) -> tuple[Grant, ...]:
    """Return what a student may do in a namespace of a role.

    Parameters
    ----------
    role : str
        `kube.classes.HOME` or `POOL`.
    policy : bool
        Whether an admission policy guards what the class has put there.
    """
    table = {HOME: HOME_RIGHTS, POOL: POOL_RIGHTS}[role]
    return tuple(right for right in table if policy or not right.guarded)


def granted(role: str, *, policy: bool = True) -> frozenset[tuple[str, str, str]]:
    """Return what a student may do to every object there, as (group, resource, verb); parameters as `rights`."""
    return frozenset(
        triple
        for right in rights(role, policy=policy)
        if not right.names
        for triple in right.triples()
    )


def role_object(
    namespace: str, labels: dict[str, str], role: str, *, policy: bool
) -> dict[str, Any]:
    """Return the Role of a namespace; parameters as `rights`."""
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": ROLE, "namespace": namespace, "labels": labels},
        "rules": [right.rule() for right in rights(role, policy=policy)],
    }


def teacher_cluster_role(class_name: str, *, policy: bool = True) -> dict[str, Any]:
    """Return the ClusterRole that lets somebody who is no administrator make a class; parameters as `rights`."""
    table = [right for right in TEACHER_RIGHTS if policy or not right.guarded]
    given = (*rights(POOL, policy=policy), *rights(HOME, policy=policy))
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{ROLE}-{class_name}-teacher", "labels": class_labels(class_name)},
        "rules": [right.rule() for right in (*table, *given)],
    }


def to_markdown(table: Sequence[Grant]) -> str:
    """Return a table for the documentation."""
    lines = ["| ce que c’est | ce qui est permis | pourquoi |", "|---|---|---|"]
    lines += [
        f"| {_resources(right)} | {_verbs(right.verbs)} | {right.reason} |" for right in table
    ]
    return "\n".join(lines)


def _resources(right: Grant) -> str:
    group = f" ({right.group})" if right.group else ""
    names = f" de nom {', '.join(f'`{name}`' for name in right.names)}" if right.names else ""
    guard = ", avec la règle d’admission" if right.guarded else ""
    return ", ".join(f"`{resource}`" for resource in right.resources) + group + names + guard


def _verbs(verbs: Iterable[str]) -> str:
    given = tuple(verbs)
    if given == ALL:
        return "tout"
    if given == READ:
        return "lire"
    return ", ".join(f"`{verb}`" for verb in given)
