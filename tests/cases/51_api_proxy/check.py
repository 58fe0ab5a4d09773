"""The API server as a proxy: to a pod, to a Service, to a node's kubelet and its other ports."""

from side_by_side import Case


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("web"))
    where = f"/api/v1/namespaces/{case.namespace.name}"
    for path in ("pods/web", "pods/web:18096", "services/web:80", "services/web:http"):
        case.eventually(
            lambda path=path: _get(case, f"{where}/{path}/proxy/hostname")[1].strip() == "web"
        )
    closed, said = _get(case, f"{where}/pods/web:9/proxy/")
    assert closed == 1
    assert "(ServiceUnavailable): error trying to reach service: " in said
    assert "connection refused" in said
    assert (
        'no endpoints available for service "nobody"'
        in _get(case, f"{where}/services/nobody:80/proxy/")[1]
    )
    assert (
        'no service port 81 found for service "web"'
        in _get(case, f"{where}/services/web:81/proxy/")[1]
    )

    node = f"/api/v1/nodes/{case.get('pod', 'web')['spec']['nodeName']}/proxy"
    assert _get(case, f"{node}/healthz") == (0, "ok")
    assert "KubeletConfiguration" in _get(case, f"{node}/configz")[1]
    assert "<pre>" in _get(case, f"{node}/logs/")[1]


def _get(case: Case, path: str) -> tuple[int, str]:
    done = case.kubectl("get", "--raw", path)
    return done.returncode, done.stdout or done.stderr
