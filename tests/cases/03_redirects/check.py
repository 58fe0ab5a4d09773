"""Probes that are redirected, answered too late, or asked of a port that is not there."""

from side_by_side import Case

WARNING = "Readiness probe warning: Probe terminated redirects, Response body: "
LATE = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"


def check(case: Case) -> None:
    case.apply()
    for name in ("p-304", "p-399", "p-nowhere"):
        case.eventually(lambda name=name: case.ready(name))
        case.eventually(lambda name=name: _told(case, name, "ProbeWarning", WARNING.strip()))
    case.eventually(lambda: case.ready("p-on"))
    address = case.get("pod", "p-on")["status"]["podIP"]
    case.eventually(lambda: f"/there http://{address}:8080/on" in case.logs("p-on"))
    loop = 'Readiness probe failed: Get "/loop": stopped after 10 redirects'
    case.eventually(lambda: _told(case, "p-loop", "Unhealthy", loop))
    errored = "Readiness probe errored and resulted in"
    case.eventually(lambda: _told(case, "p-drip", "Unhealthy", f"{errored} failure state: {LATE}"))
    named = f'{errored} unknown state: port "htttp" not found'
    case.eventually(lambda: _told(case, "p-named", "Unhealthy", named))
    assert not any(case.ready(name) for name in ("p-loop", "p-drip", "p-named"))


def _told(case: Case, name: str, reason: str, message: str) -> bool:
    return any(message in event["message"] for event in case.events(name, reason))
