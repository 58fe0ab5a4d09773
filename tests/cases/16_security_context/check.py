"""What a security context refuses and what it takes away."""

from side_by_side import Case

NET_BIND_SERVICE = 1 << 10


def check(case: Case) -> None:
    case.apply()
    assert _refused(case, "nonroot").startswith(
        "container has runAsNonRoot and image will run as root (pod: "
    )
    assert _refused(case, "zero").startswith("container's runAsUser breaks non-root policy (pod: ")
    assert _privileges(case, "bare") == (0, 1)
    assert _privileges(case, "port") == (NET_BIND_SERVICE, 0)
    _is_who_it_asks_to_be(case)


def _is_who_it_asks_to_be(case: Case) -> None:
    """Check a user, a group and the groups of volumes, as far as the node has several (the status says so)."""
    case.eventually(lambda: case.phase("ids") == "Succeeded", timeout_s=180)
    uid, gid, groups, of_volume = case.logs("ids").splitlines()
    linux = case.status("ids")["user"]["linux"]
    assert (uid, gid, linux["uid"], linux["gid"]) == ("1000", "3000", 1000, 3000)
    shown = linux["supplementalGroups"]
    assert {*map(int, groups.split())} >= {*shown}
    if shown != [3000]:
        assert sorted(shown) == [2000, 3000, 4000]
        assert of_volume == "2000 rw-"


def _refused(case: Case, pod: str) -> str:
    waiting = case.eventually(lambda: case.status(pod)["state"]["waiting"], timeout_s=180)
    reason = case.eventually(
        lambda: case.status(pod)["state"]["waiting"]["reason"] == "CreateContainerConfigError"
    )
    assert reason, waiting
    return str(case.status(pod)["state"]["waiting"]["message"])


def _privileges(case: Case, pod: str) -> tuple[int, int]:
    """Return the capabilities that take effect, and whether no new privileges can be gained."""
    case.eventually(lambda: case.phase(pod) == "Succeeded", timeout_s=180)
    said = dict(line.split(":") for line in case.logs(pod).splitlines())
    return int(said["CapEff"], 16), int(said["NoNewPrivs"])
