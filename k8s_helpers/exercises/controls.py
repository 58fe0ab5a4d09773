"""What a control (`exercises/*/check.py`) may use: the bench, the student's objects, requests, a run, words.

Beside it, a control imports labs, panels and forecasts; nothing else of the package.
"""

from embedded_kubernetes import quantities
from embedded_kubernetes.selectors import selector_matches as selector_matches

from .._errors import ApiRefusedError as ApiRefusedError
from .._errors import K8sHelpersError as K8sHelpersError
from .._errors import WaitTimeoutError as WaitTimeoutError
from .._french import count as count
from .._french import number as number
from .._french import seconds as seconds
from ..analysis import PodLife as PodLife
from ..analysis import failed as failed
from ..analysis import lives as lives
from ..analysis import outages as outages
from ..analysis.outcomes import latencies as latencies
from ..analysis.outcomes import percentile as percentile
from ..builds import images as images
from ..cluster import admission as admission
from ..cluster import rollouts as rollouts
from ..cluster.conditions import ready as ready
from ..cluster.conditions import rolled_out as rolled_out
from ..cluster.conditions import rollout_failed as rollout_failed
from ..cluster.conditions import unschedulable as unschedulable
from ..kube.api import MERGE_PATCH as MERGE_PATCH
from ..kube.api import ApiSession as ApiSession
from ..kube.api import ApiStatusError as ApiStatusError
from ..kube.http import Answer as Answer
from ..kube.http import ServiceAddress as ServiceAddress
from ..kube.http import get as get
from ..kube.http import post as post
from ..measure import in_pod as in_pod
from ..measure.in_pod import fetch as fetch
from ..measure.recording import Request as Request
from ..measure.recording import Run as Run
from ..measure.traffic.traffic import Traffic as Traffic
from .bench import Bench as Bench
from .bench import Observation as Observation
from .bench import wait_placed as wait_placed
from .finding import Criterion as Criterion
from .finding import Finding as Finding
from .finding import graded as graded
from .objects import container_end as container_end
from .objects import container_runs as container_runs
from .objects import container_statuses as container_statuses
from .objects import containers as containers
from .objects import only as only
from .objects import replicas as replicas
from .objects import waiting_reasons as waiting_reasons

parse_quantity = quantities.parse
