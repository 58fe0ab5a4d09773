"""What the status of an ordinary pod says of its resources and of who runs in it."""

from side_by_side import Case

ROOT = {"linux": {"uid": 0, "gid": 0, "supplementalGroups": [0]}}
ASKED = {"cpu": "100m", "memory": "32Mi"}
ALLOWED = {"cpu": "200m", "memory": "64Mi"}


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("plain"), timeout_s=180)
    app, init = case.status("plain", "app"), case.status("plain", "i")
    assert (app["user"], init["user"]) == (ROOT, ROOT)
    assert app["resources"] == {"requests": ASKED, "limits": ALLOWED}
    assert (app["allocatedResources"], init["resources"]) == (ASKED, {})
    status = case.get("pod", "plain")["status"]
    assert status["resources"] == {"requests": ASKED, "limits": ALLOWED}
    assert status["allocatedResources"] == ASKED
    case.eventually(lambda: "running" in case.status("stuck", "i")["state"])
    waiting = case.status("stuck", "app")
    assert not {"resources", "user", "containerID"} & set(waiting)
