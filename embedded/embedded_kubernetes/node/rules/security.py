"""What a security context asks for: what is held here, what refuses a container, and what has no effect. Pure.

(source: `verifyRunAsNonRoot` of `pkg/kubelet/kuberuntime/security_context_others.go`,
`determineEffectiveSecurityContext` of `security_context.go` there, `DetermineEffectiveSecurityContext` of
`pkg/securitycontext/util.go`, `generateUserString` of containerd's `internal/cri/server/container_create.go`)
"""

from __future__ import annotations

from ..cri import UserConfig
from ..records import Object, pod_text
from ..runtime.users import id_maps
from ..runtime.users.capabilities import NUMBERS, possible, usual

_FROM_POD = ("runAsUser", "runAsGroup", "runAsNonRoot")
_WITHOUT_EFFECT = ("seLinuxOptions", "seccompProfile", "appArmorProfile")


def effective(pod: Object, container: Object) -> Object:
    """Return a container's security context, with what it takes over from its pod's."""
    of_pod = pod["spec"].get("securityContext") or {}
    taken = {name: of_pod[name] for name in _FROM_POD if of_pod.get(name) is not None}
    own = container.get("securityContext") or {}
    return {**taken, **{name: value for name, value in own.items() if value is not None}}


def refusal(pod: Object, container: Object, image_user: str) -> str | None:
    """Return why a container may not run as what it would run as; None where it may.

    Parameters
    ----------
    image_user : str
        What the image's `USER` says: number or name, perhaps with a group; "" where it says nothing.
    """
    context = effective(pod, container)
    if not context.get("runAsNonRoot"):
        return None
    where = f'(pod: "{pod_text(pod)}", container: {container["name"]})'
    if "runAsUser" in context:
        broken = context["runAsUser"] == 0
        return f"container's runAsUser breaks non-root policy {where}" if broken else None
    user = image_user.partition(":")[0] or "0"
    if not user.isdigit():
        return (
            f"container has runAsNonRoot and image has non-numeric user ({user}), "
            f"cannot verify user is non-root {where}"
        )
    if int(user) == 0:
        return f"container has runAsNonRoot and image will run as root {where}"
    return None


def no_new_privileges(container: Object) -> bool:
    """Return whether a container's programs may never gain what their parent does not have."""
    return (container.get("securityContext") or {}).get("allowPrivilegeEscalation") is False


def user(pod: Object, container: Object, image_user: str) -> UserConfig:
    """Return who a container is to run as.

    The group of the image's `USER` does not count: a kubelet passes on the user alone.

    Parameters
    ----------
    image_user : str
        See `refusal`.
    """
    context = effective(pod, container)
    of_pod = pod["spec"].get("securityContext") or {}
    who = str(context.get("runAsUser", image_user.partition(":")[0] or "0"))
    if "runAsGroup" in context:
        who += f":{context['runAsGroup']}"
    of_volumes = [of_pod["fsGroup"]] if of_pod.get("fsGroup") is not None else []
    return UserConfig(
        who,
        (*of_volumes, *(of_pod.get("supplementalGroups") or ())),
        groups_of_image=of_pod.get("supplementalGroupsPolicy") != "Strict",
    )


def capabilities(container: Object, ids: str, network: str) -> frozenset[int]:
    """Return the capabilities that a container keeps, of those that it may have here.

    Parameters
    ----------
    ids : str
        The ids that containers have (`Runtime.ids`).
    network : str
        The network that pods have (`Runtime.network`).
    """
    context = container.get("securityContext") or {}
    allowed = possible(ids, network)
    if context.get("privileged"):
        return allowed
    said = context.get("capabilities") or {}
    added, dropped = ({_short(name) for name in said.get(word) or ()} for word in ("add", "drop"))
    kept = allowed if "ALL" in added else usual(ids)
    kept = frozenset() if "ALL" in dropped else kept
    return ((kept | _numbers(added)) - _numbers(dropped)) & allowed


def _numbers(names: set[str]) -> frozenset[int]:
    return frozenset(NUMBERS[name] for name in names if name in NUMBERS)


def _short(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def without_effect(pod: Object, ids: str, network: str) -> list[str]:
    """Return the fields of a pod that ask for what this node does not do, in the order of its spec.

    Parameters
    ----------
    ids, network : str
        See `capabilities`.
    """
    spec = pod["spec"]
    of_pod = spec.get("securityContext") or {}
    fields = [name for name in ("hostPID", "hostIPC") if spec.get(name)]
    if spec.get("shareProcessNamespace") and not ids:
        fields.append("shareProcessNamespace")
    if spec.get("hostUsers") is False and ids in ("", id_maps.ROOT):
        fields.append("hostUsers")
    names = [] if network == "pods" else ["sysctls"]
    if ids in ("", id_maps.SINGLE):
        names += ["fsGroup", "supplementalGroups"]
    if not ids:
        names += ["runAsUser", "runAsGroup"]
    fields += [f"securityContext.{name}" for name in names if of_pod.get(name)]
    fields += [f"securityContext.{name}" for name in _profiles(of_pod)]
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            where = f"{field}[{container['name']}]"
            context = container.get("securityContext") or {}
            fields += [
                f"{where}.securityContext.{name}" for name in _of_container(context, ids, network)
            ]
            if container.get("targetContainerName") and not ids:
                fields.append(f"{where}.targetContainerName")
    return fields


def _of_container(context: Object, ids: str, network: str) -> list[str]:
    fields = _profiles(context)
    if not ids:
        fields += [name for name in ("runAsUser", "runAsGroup") if context.get(name)]
    if context.get("privileged"):
        fields.append("privileged")
    if context.get("procMount") == "Unmasked":
        fields.append("procMount")
    added = {_short(name) for name in (context.get("capabilities") or {}).get("add") or ()}
    allowed = possible(ids, network)
    if any(NUMBERS.get(name) not in allowed for name in added - {"ALL"}):
        fields.append("capabilities.add")
    return fields


def _profiles(context: Object) -> list[str]:
    return [
        name
        for name in _WITHOUT_EFFECT
        if context.get(name) and context[name].get("type") != "Unconfined"
    ]
