"""Every object of a class, as plain YAML that an administrator can read before. Pure.

All carry the label `k8s-helpers/class`; they have no field that Kubernetes 1.30 does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..builds import plain_names
from ..builds.pull_secrets import PULL_SECRET
from ..kube.classes import (
    CLASS_LABEL,
    CONFIG_MAP,
    HOME,
    POOL,
    STUDENT_LABEL,
    Enrolment,
    class_labels,
    home_name,
    pool_names,
)
from . import rights
from .roster import Member

NAME = CONFIG_MAP
"""Of what the class puts into a namespace: ConfigMap, Role, RoleBinding, ResourceQuota, LimitRange, NetworkPolicy."""

ACCOUNT = "student"
"""ServiceAccount of the home namespace, whose token a student's kubeconfig has."""

PRIORITY_NAME = f"{NAME}-priority"
"""Of the ResourceQuota that keeps pods from going before the other users'."""

SYSTEM_PRIORITIES = ("system-cluster-critical", "system-node-critical")
"""Priority classes that every cluster has; a pod of theirs drives others out.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/#limit-priority-class-consumption-by-default
"""

POLICY_API = "admissionregistration.k8s.io/v1"

QuotaLevel = Literal["cours", "strict"]

POOL_COUNTS: Mapping[str, str] = {
    "pods": "50",
    "services": "20",
    "services.nodeports": "12",
    "services.loadbalancers": "1",
    "persistentvolumeclaims": "8",
    "requests.storage": "3Gi",
    "configmaps": "20",
    "secrets": "20",
    "count/replicasets.apps": "200",
}
"""At most in a namespace of the pool: about twice what the most demanding experiment or exercise has at once."""

OTHERS_COUNT = "20"
"""At most of every other kind that a student can make: what etcd keeps is the whole cluster's."""

_COUNTED_BY_NAME = ("pods", "services", "persistentvolumeclaims", "configmaps", "secrets")

STRICT_TOTALS: Mapping[str, str] = {
    "requests.cpu": "2",
    "requests.memory": "3Gi",
    "limits.memory": "12Gi",
}
"""With the level "strict", also the sums of what pods declare."""

STRICT_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "default": {"memory": "256Mi"},
    "defaultRequest": {"cpu": "10m", "memory": "32Mi"},
}
"""What a container gets that declares nothing. No limit of processor: it would slow what is measured."""

HOME_COUNTS: Mapping[str, str] = {
    "pods": "6",
    "services": "2",
    "services.nodeports": "0",
    "services.loadbalancers": "0",
    "persistentvolumeclaims": "1",
    "configmaps": "10",
    "secrets": "10",
    "requests.cpu": "2",
    "requests.memory": "3Gi",
    "limits.memory": "4Gi",
}
"""At most in a home: the pod of the traffic, and a JupyterHub's server where there is one."""

LARGEST_CLAIM = "2Gi"

_DNS_PORTS = (53, 5353)
_ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True)
class ClassPlan:
    """What a class is to be.

    Attributes
    ----------
    name : str
        A DNS label.
    students : sequence of Member
        Who gets what follows.
    namespaces : int
        How many each one works in.
    quota : {"cours", "strict"}
        "cours" counts objects; "strict" also sums what pods declare, and declares something for those that do not.
    policy : bool
        Whether an admission policy keeps students from changing what the class has put into their namespaces.
    network : bool
        Whether NetworkPolicies keep students' pods apart.
    pod_ranges : sequence of str
        The cluster's ranges of pod addresses, as CIDRs; what is outside them reaches the students' pods (the API
        server, which passes requests on; nodes). Empty: only namespaces that are no class's do.
    api_servers : sequence of (str, int)
        Addresses and ports behind the Service `kubernetes`, which students' pods may reach.
    images, image_prefix, share_progress, server_version, ingress_url
        As `kube.classes.Enrolment` has them.
    priorities : sequence of str
        Priority classes that no pod of a student may have: it would drive other users' pods out.
    shared_objects : sequence of mapping
        Objects without a namespace that each namespace of the class gets too: a pull secret, the account `default`.
    rewrites_images : bool
        Whether the server has MutatingAdmissionPolicy, which takes `vitrine:v1` for the reference in `images`.
    hub_namespace : str
        Where a JupyterHub runs its students' servers, as accounts named like the homes; "" where there is none.
    """

    name: str
    students: Sequence[Member]
    namespaces: int
    quota: QuotaLevel = "cours"
    policy: bool = True
    network: bool = True
    pod_ranges: Sequence[str] = ()
    api_servers: Sequence[tuple[str, int]] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    image_prefix: str = ""
    share_progress: bool = True
    server_version: str = ""
    ingress_url: str = ""
    priorities: Sequence[str] = SYSTEM_PRIORITIES
    shared_objects: Sequence[Mapping[str, Any]] = ()
    rewrites_images: bool = False
    hub_namespace: str = ""

    @property
    def policy_name(self) -> str:
        """Name of the admission policy and of its binding: cluster-wide, so with the class's."""
        return policy_name(self.name)

    @property
    def plain_names(self) -> bool:
        """Whether students may write the images' short names: the cluster rewrites them in pods."""
        return self.policy and self.rewrites_images and bool(self.images)

    def homes(self) -> dict[str, Member]:
        """Return whose each home namespace is."""
        return {home_name(self.name, student.id): student for student in self.students}

    def namespaces_of(self, student: Member) -> tuple[str, ...]:
        """Return the names of a student's namespaces, the home first."""
        return (
            home_name(self.name, student.id),
            *pool_names(self.name, student.id, self.namespaces),
        )


def policy_name(class_name: str) -> str:
    """Return the name of a class's admission policy and of its binding."""
    return f"{NAME}-{class_name}"


def of_class(plan: ClassPlan) -> list[dict[str, Any]]:
    """Return the objects that are in no namespace of a student: the admission policies, where there are any."""
    made = [_policy(plan), _policy_binding(plan)] if plan.policy else []
    if plan.plain_names:
        names = {item["metadata"]["name"] for item in plan.shared_objects}
        made += plain_names.policy(plan.name, plan.images, pull_secret=PULL_SECRET in names)
    return made


def of_student(plan: ClassPlan, student: Member) -> list[dict[str, Any]]:
    """Return a student's objects, in an order in which they can be applied: namespaces first."""
    home, *pool = plan.namespaces_of(student)
    return [
        _namespace(plan, student, home, HOME),
        *(_namespace(plan, student, name, POOL) for name in pool),
        *_in_home(plan, student, home),
        *(item for name in pool for item in _in_pool(plan, student, name)),
        *_in_hub(plan, student),
    ]


def of_all(plan: ClassPlan) -> list[dict[str, Any]]:
    """Return all objects of a class."""
    return [
        *of_class(plan),
        *(item for student in plan.students for item in of_student(plan, student)),
    ]


def _namespace(plan: ClassPlan, student: Member, name: str, role: str) -> dict[str, Any]:
    """Return a namespace. Baseline: the course's pods need no more, and most of them would fail "restricted"."""
    labels = class_labels(plan.name, student.id, role)
    labels["pod-security.kubernetes.io/enforce"] = "baseline"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _in_home(plan: ClassPlan, student: Member, name: str) -> Iterator[dict[str, Any]]:
    enrolment = Enrolment(
        plan.name,
        student.id,
        plan.namespaces_of(student)[1:],
        plan.images,
        plan.image_prefix,
        plan.share_progress,
        plan.server_version,
        plan.plain_names,
        plan.ingress_url,
    )
    yield _object(plan, student, "v1", "ServiceAccount", name, name=ACCOUNT)
    yield _object(plan, student, "v1", "ConfigMap", name, data=enrolment.format())
    yield from _rights(plan, student, name, HOME)
    yield _quota(plan, student, name, HOME_COUNTS)
    yield _limits(plan, student, name, STRICT_DEFAULTS)
    yield from _everywhere(plan, student, name)


def _in_pool(plan: ClassPlan, student: Member, name: str) -> Iterator[dict[str, Any]]:
    strict = plan.quota == "strict"
    yield from _rights(plan, student, name, POOL)
    yield _quota(plan, student, name, {**pool_counts(), **(STRICT_TOTALS if strict else {})})
    yield _limits(plan, student, name, STRICT_DEFAULTS if strict else {})
    yield from _everywhere(plan, student, name)


def _in_hub(plan: ClassPlan, student: Member) -> Iterator[dict[str, Any]]:
    """Yield the account of the student's server: it has no rights where the hub is."""
    for account in _hub_accounts(plan, student):
        yield _object(
            plan,
            student,
            "v1",
            "ServiceAccount",
            account["namespace"],
            name=account["name"],
            automountServiceAccountToken=False,
        )


def _hub_accounts(plan: ClassPlan, student: Member) -> list[dict[str, str]]:
    if not plan.hub_namespace:
        return []
    name = home_name(plan.name, student.id)
    return [{"kind": "ServiceAccount", "name": name, "namespace": plan.hub_namespace}]


def _everywhere(plan: ClassPlan, student: Member, name: str) -> Iterator[dict[str, Any]]:
    yield _no_priority(plan, student, name)
    if plan.network:
        yield _network(plan, student, name)
    for item in plan.shared_objects:
        metadata = {
            **item["metadata"],
            "namespace": name,
            "labels": class_labels(plan.name, student.id),
        }
        yield {**item, "metadata": metadata}


def _object(
    plan: ClassPlan,
    student: Member,
    api_version: str,
    kind: str,
    namespace: str,
    *,
    name: str = NAME,
    **content: Any,
) -> dict[str, Any]:
    labels = class_labels(plan.name, student.id)
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def _rights(plan: ClassPlan, student: Member, name: str, role: str) -> Iterator[dict[str, Any]]:
    home = home_name(plan.name, student.id)
    labels = class_labels(plan.name, student.id)
    yield rights.role_object(name, labels, role, policy=plan.policy)
    yield _object(
        plan,
        student,
        f"{rights.RBAC}/v1",
        "RoleBinding",
        name,
        roleRef={"apiGroup": rights.RBAC, "kind": "Role", "name": rights.ROLE},
        subjects=[
            {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": home},
            *_hub_accounts(plan, student),
        ],
    )


def _quota(plan: ClassPlan, student: Member, name: str, hard: Mapping[str, str]) -> dict[str, Any]:
    return _object(plan, student, "v1", "ResourceQuota", name, spec={"hard": dict(hard)})


def pool_counts() -> dict[str, str]:
    """Return how many objects a namespace of the pool may have: of every kind that a student may make.

    Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/#object-count-quota
    """
    creatable = sorted(
        (group, resource)
        for group, resource, verb in rights.granted(POOL)
        if verb == "create" and "/" not in resource and resource not in _COUNTED_BY_NAME
    )
    counted = {
        f"count/{resource}.{group}" if group else f"count/{resource}": OTHERS_COUNT
        for group, resource in creatable
    }
    return {**counted, **POOL_COUNTS}


def _no_priority(plan: ClassPlan, student: Member, name: str) -> dict[str, Any]:
    selected = {"scopeName": "PriorityClass", "operator": "In", "values": list(plan.priorities)}
    spec = {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [selected]}}
    return _object(plan, student, "v1", "ResourceQuota", name, name=PRIORITY_NAME, spec=spec)


def _limits(
    plan: ClassPlan, student: Member, name: str, defaults: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the LimitRange: the size of a volume, and what containers get that declare nothing."""
    limits: list[dict[str, Any]] = [
        {"type": "PersistentVolumeClaim", "max": {"storage": LARGEST_CLAIM}}
    ]
    if defaults:
        limits.append({"type": "Container", **{key: dict(defaults[key]) for key in defaults}})
    return _object(plan, student, "v1", "LimitRange", name, spec={"limits": limits})


def _network(plan: ClassPlan, student: Member, name: str) -> dict[str, Any]:
    """Return the NetworkPolicy: a student's own pods, and from outside all but the other students.

    Out of a namespace lead the way to the student's others, DNS, and the API server.
    """
    own = {
        "namespaceSelector": {"matchLabels": {CLASS_LABEL: plan.name, STUDENT_LABEL: student.id}}
    }
    no_class = {
        "namespaceSelector": {
            "matchExpressions": [{"key": CLASS_LABEL, "operator": "DoesNotExist"}]
        }
    }
    dns = [
        {"protocol": protocol, "port": port} for port in _DNS_PORTS for protocol in ("UDP", "TCP")
    ]
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [own, no_class, *_outside(plan.pod_ranges)]}],
        "egress": [{"to": [own]}, {"ports": dns}, *_api_servers(plan.api_servers)],
    }
    return _object(plan, student, "networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)


def _outside(pod_ranges: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the peers that are no pod: every address but those of pods, by family of addresses."""
    for family, everything in _ANYWHERE.items():
        ranges = [text for text in pod_ranges if (":" in text) == (family == 6)]
        if ranges:
            yield {"ipBlock": {"cidr": everything, "except": sorted(ranges)}}


def _api_servers(addresses: Sequence[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    for address, port in addresses:
        size = 128 if ":" in address else 32
        yield {
            "to": [{"ipBlock": {"cidr": f"{address}/{size}"}}],
            "ports": [{"protocol": "TCP", "port": port}],
        }


def _policy(plan: ClassPlan) -> dict[str, Any]:
    """Return the policy that keeps the accounts of the class off what carries the class's label.

    Not only `student`: an account that a student makes in a namespace of the pool has at most the student's rights, and
    the same limits. Creating such an object is refused too: nobody could take it away again. A Service's `externalIPs`
    would bring the whole cluster's traffic to an address to the student's pods (CVE-2020-8554).

    Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
    """
    unmarked = "!has({0}.metadata.labels) || !('" + CLASS_LABEL + "' in {0}.metadata.labels)"
    expression = " && ".join(
        f"({item} == null || {unmarked.format(item)})" for item in ("object", "oldObject")
    )
    rules = [
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": list(resources),
        }
        for group, resources in (
            (
                "",
                (
                    "configmaps",
                    "secrets",
                    "serviceaccounts",
                    "resourcequotas",
                    "limitranges",
                    "services",
                ),
            ),
            (rights.RBAC, ("roles", "rolebindings")),
            ("networking.k8s.io", ("networkpolicies",)),
        )
    ]
    starts = [
        f"{plan.name}-",
        *([f"{plan.hub_namespace}:{plan.name}-"] if plan.hub_namespace else []),
    ]
    of_students = " || ".join(
        f"request.userInfo.username.startsWith('system:serviceaccount:{start}')" for start in starts
    )
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {CLASS_LABEL: plan.name}},
            "resourceRules": rules,
        },
        "matchConditions": [{"name": "students", "expression": of_students}],
        "validations": [
            {
                "expression": expression,
                "message": "cet objet appartient à la classe : seul l’enseignant le change",
                "reason": "Forbidden",
            },
            {
                "expression": "request.resource.resource != 'services' || object == null || "
                "!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0",
                "message": "un Service d’étudiant n’a pas d’externalIPs : il prendrait le trafic d’autrui",
                "reason": "Forbidden",
            },
        ],
    }
    return _of_class(plan, "ValidatingAdmissionPolicy", spec)


def _policy_binding(plan: ClassPlan) -> dict[str, Any]:
    spec = {
        "policyName": plan.policy_name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {CLASS_LABEL: plan.name}}},
    }
    return _of_class(plan, "ValidatingAdmissionPolicyBinding", spec)


def _of_class(plan: ClassPlan, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": plan.policy_name, "labels": class_labels(plan.name)}
    return {"apiVersion": POLICY_API, "kind": kind, "metadata": metadata, "spec": spec}
