"""Experiments: something done to a cluster while it is measured; each gives a `Recording`."""

from .added_node import added_node
from .autoscaling import autoscaling
from .balancing import balancing
from .broken_probes import broken_probes
from .canary import canary
from .capacity import capacity
from .cohabitation import cohabitation
from .component_stop import component_stop
from .components import components
from .configuration import configuration
from .discovery import discovery
from .encryption_at_rest import encryption_at_rest
from .ingress import ingress
from .journey import journey
from .live_map import live_map
from .memory import memory
from .namespaces import namespaces
from .network_policy import network_policy
from .pod_security import pod_security
from .probe_kinds import probe_kinds
from .probes import probes
from .relabel import relabel
from .resize import resize
from .resources import pending, qos, quota
from .rollback import rollback
from .secrets_rbac import secrets
from .self_healing import self_healing
from .shared_pod import shared_pod
from .slow_update import slow_update
from .statefulset import statefulset
from .storage import storage
from .throttling import throttling
from .update import update
from .variants import probes_forecast
from .volumes import volumes

__all__ = [
    "added_node",
    "autoscaling",
    "balancing",
    "broken_probes",
    "canary",
    "capacity",
    "cohabitation",
    "component_stop",
    "components",
    "configuration",
    "discovery",
    "encryption_at_rest",
    "ingress",
    "journey",
    "live_map",
    "memory",
    "namespaces",
    "network_policy",
    "pending",
    "pod_security",
    "probe_kinds",
    "probes",
    "probes_forecast",
    "qos",
    "quota",
    "relabel",
    "resize",
    "rollback",
    "secrets",
    "self_healing",
    "shared_pod",
    "slow_update",
    "statefulset",
    "storage",
    "throttling",
    "update",
    "volumes",
]
