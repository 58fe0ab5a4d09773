"""Recording → charts: pure, in French, colour-blind safe, each with a text alternative."""

from .added_node import added_node
from .autoscaling import autoscaling
from .autoscaling_table import shortened_table
from .axes import pods, replicas, requests
from .balancing import balancing, balancing_table
from .broken_probes import broken_probes
from .canary import canary
from .capacity import capacity
from .cohabitation import cohabitation
from .component_stop import component_stop
from .components import components
from .configuration import configuration
from .drawing import draw, tabulate
from .figure import DescribedFigure
from .journey import journey
from .landscape import landscape, levels
from .live_map import live_map
from .memory import memory
from .probe_kinds import probe_kinds
from .probes import probes
from .probes_table import probes_forecast, probes_table
from .quoted import delays, releases, survey
from .relabel import relabel
from .resize import resize
from .resources import pending, pending_table, qos, qos_table, quota, quota_table
from .rollback import rollback, rollback_table
from .rollout import rollout
from .self_healing import self_healing
from .shared_pod import shared_pod
from .slow_update import slow_update
from .statefulset import statefulset
from .storage import storage
from .table import Table, update_table
from .throttling import throttling
from .update import update
from .volumes import volumes

__all__ = [
    "DescribedFigure",
    "Table",
    "added_node",
    "autoscaling",
    "balancing",
    "balancing_table",
    "broken_probes",
    "canary",
    "capacity",
    "cohabitation",
    "component_stop",
    "components",
    "configuration",
    "delays",
    "draw",
    "journey",
    "landscape",
    "levels",
    "live_map",
    "memory",
    "pending",
    "pending_table",
    "pods",
    "probe_kinds",
    "probes",
    "probes_forecast",
    "probes_table",
    "qos",
    "qos_table",
    "quota",
    "quota_table",
    "relabel",
    "releases",
    "replicas",
    "requests",
    "resize",
    "rollback",
    "rollback_table",
    "rollout",
    "self_healing",
    "shared_pod",
    "shortened_table",
    "slow_update",
    "statefulset",
    "storage",
    "survey",
    "tabulate",
    "throttling",
    "update",
    "update_table",
    "volumes",
]
