"""What a security context asks for: what is held here, what refuses a container, and what has no effect. Pure.

(source: `verifyRunAsNonRoot` of `pkg/kubelet/kuberuntime/security_context_others.go`,
`DetermineEffectiveSecurityContext` of `pkg/securitycontext/util.go`)
"""

from __future__ import annotations

from ..records import Object, pod_text
from ..runtime.rootfs import KEPT_CAPABILITIES

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


def capabilities(container: Object) -> frozenset[int]:
    """Return the capabilities that a container keeps of those that containers have here."""
    said = (container.get("securityContext") or {}).get("capabilities") or {}
    added = {_short(name) for name in said.get("add") or ()}
    dropped = {_short(name) for name in said.get("drop") or ()}
    return frozenset(
        number
        for name, number in KEPT_CAPABILITIES.items()
        if name in added or not dropped & {name, "ALL"}
    )


def _short(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def without_effect(pod: Object) -> list[str]:
    """Return the fields of a pod that ask for what this node does not do, in the order of its spec."""
    spec = pod["spec"]
    of_pod = spec.get("securityContext") or {}
    fields = [name for name in ("hostPID", "hostIPC", "shareProcessNamespace") if spec.get(name)]
    if spec.get("hostUsers") is False:
        fields.append("hostUsers")
    names = ["fsGroup", "supplementalGroups", "sysctls"]
    fields += [f"securityContext.{name}" for name in (*_ids(of_pod), *names) if of_pod.get(name)]
    fields += [f"securityContext.{name}" for name in _profiles(of_pod)]
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            where = f"{field}[{container['name']}]"
            context = container.get("securityContext") or {}
            fields += [
                f"{where}.securityContext.{name}"
                for name in (*_ids(context), *_profiles(context), *_more(context))
            ]
            if container.get("targetContainerName"):
                fields.append(f"{where}.targetContainerName")
    return fields


def _ids(context: Object) -> list[str]:
    return [name for name in ("runAsUser", "runAsGroup") if context.get(name)]


def _profiles(context: Object) -> list[str]:
    return [
        name
        for name in _WITHOUT_EFFECT
        if context.get(name) and context[name].get("type") != "Unconfined"
    ]


def _more(context: Object) -> list[str]:
    fields = ["privileged"] if context.get("privileged") else []
    if context.get("procMount") == "Unmasked":
        fields.append("procMount")
    added = (context.get("capabilities") or {}).get("add") or ()
    if {_short(name) for name in added} - set(KEPT_CAPABILITIES):
        fields.append("capabilities.add")
    return fields
