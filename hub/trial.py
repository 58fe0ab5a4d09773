"""The course on a real JupyterHub, from `class create` to what is left after the culler: two students sign in and work.

    export KUBECONFIG=…                # an administrator of a cluster to try on, kind for example
    .venv/bin/python hub/trial.py jupyterhub/jupyterhub --image cours/etudiant:1

Needs `helm` and `kubectl`. The chart is whatever `helm` accepts, a folder for example. Each line printed is what was
seen; the first that is not as it should be ends the trial. Everything that it makes is deleted at its end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
import websocket
import yaml

HUB = Path(__file__).resolve().parent
LAB = Path(sys.executable).with_name("k8s-lab")
STUDENTS = ("alice", "bob")
_WORK_S = 300.0
_GONE_S = 180.0

Settings = dict[str, Any]


def run(*command: object, given: str | None = None) -> str:
    """Run a command and return what it prints; its own words are the error where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def until(wanted: Callable[[], bool], limit_s: float, words: str) -> float:
    """Look every half second until something is so; return after how many seconds it was."""
    start = time.monotonic()
    while not wanted():
        if time.monotonic() - start > limit_s:
            raise SystemExit(f"not within {limit_s:.0f} s: {words}")
        time.sleep(0.5)
    return time.monotonic() - start


def seen(words: str, expected: bool) -> None:
    """Say what was seen, and stop there if it is not what has to be."""
    print(("ok    " if expected else "NOT   ") + words, flush=True)
    if not expected:
        raise SystemExit(1)


class Student:
    """A student's browser: signs in by the form, starts a server, runs cells in a kernel of it.

    Parameters
    ----------
    hub_url : str
        Where the hub's proxy answers.
    name, password : str
        What is typed in the form.
    """

    def __init__(self, hub_url: str, name: str, password: str) -> None:
        self.name = name
        self.url = f"{hub_url}/user/{name}/"
        self._hub = f"{hub_url}/hub/"
        self._session = requests.Session()
        self._session.get(f"{self._hub}login").raise_for_status()
        form = {"username": name, "password": password, "_xsrf": self._xsrf("/hub/")}
        answer = self._session.post(f"{self._hub}login", data=form, allow_redirects=False)
        self.signed_in = answer.status_code == 302

    def _xsrf(self, path: str) -> str:
        """Return what Tornado asks for besides the cookies, of the hub or of a server."""
        cookies = self._session.cookies
        return next(c.value or "" for c in cookies if c.name == "_xsrf" and c.path == path)

    def _hub_api(self, verb: str, path: str) -> requests.Response:
        headers = {"X-XSRFToken": self._xsrf("/hub/"), "Referer": self._hub}
        return self._session.request(
            verb, f"{self._hub}api/users/{self.name}{path}", headers=headers
        )

    def start_server(self) -> float:
        """Start the server and open it, as the button does; return after how many seconds it was ready."""
        self._hub_api("POST", "/server").raise_for_status()
        waited = until(
            lambda: self._hub_api("GET", "").json()["servers"].get("", {}).get("ready", False),
            _WORK_S,
            f"the server of {self.name} is ready",
        )
        self._session.get(f"{self.url}lab").raise_for_status()
        return waited

    def stop_server(self) -> None:
        """Stop it, as its button does."""
        self._hub_api("DELETE", "/server").raise_for_status()

    def reach(self, url: str) -> int:
        """Return the status of a page that is asked for with this student's cookies."""
        return self._session.get(url).status_code

    def run_cell(self, code: str, kernel: str) -> str:
        """Run code in a kernel and return what it prints, errors included."""
        cookies = "; ".join(
            f"{c.name}={c.value}" for c in self._session.cookies if self.url.endswith(c.path)
        )
        address = f"{self.url}api/kernels/{kernel}/channels".replace("http", "ws", 1)
        channel = websocket.create_connection(address, cookie=cookies, timeout=_WORK_S)
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "",
                  "session": uuid.uuid4().hex, "date": "", "version": "5.3"}  # fmt: skip
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        channel.send(json.dumps({"header": header, "parent_header": {}, "metadata": {},
                                 "content": content, "channel": "shell", "buffers": []}))  # fmt: skip
        with contextlib.closing(channel):
            return "".join(_printed(channel, header["msg_id"]))

    def new_kernel(self) -> str:
        """Start a kernel and return its id."""
        headers = {"X-XSRFToken": self._xsrf(f"/user/{self.name}/"), "Referer": self.url}
        answer = self._session.post(
            f"{self.url}api/kernels", json={"path": "cours/notebooks/x.ipynb"}, headers=headers
        )
        answer.raise_for_status()
        return str(answer.json()["id"])


def _printed(channel: websocket.WebSocket, request: str) -> Iterator[str]:
    """Return the texts that a cell prints, until it has ended."""
    while True:
        message = json.loads(channel.recv())
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                yield content["text"]
            case "error":
                yield f"{content['ename']}: {content['evalue']}\n"
            case "execute_result":
                yield content["data"]["text/plain"] + "\n"
            case "status" if content["execution_state"] == "idle":
                return


def lab(options: argparse.Namespace, command: str, *arguments: object) -> str:
    """Run a command of `k8s-lab class` as the administrator."""
    who = ("--class", options.class_name, "--kubeconfig", os.environ["KUBECONFIG"])
    return run(LAB, "class", command, *who, *arguments)


def values(options: argparse.Namespace, password: str) -> Settings:
    """Return what this trial changes in `values.yaml`: who signs in, and images that are in the nodes already."""
    ours: Settings = {
        "hub": {
            "config": {
                "JupyterHub": {"authenticator_class": "dummy"},
                "DummyAuthenticator": {"password": password},
            },
        },
        "singleuser": {
            "image": _image(options.image),
            "serviceAccountName": f"{options.class_name}-{{unescaped_username}}",
            "extraEnv": {
                "K8S_HELPERS_HOME_NAMESPACE": f"{options.class_name}-{{unescaped_username}}"
            },
        },
        "cull": {"enabled": False},
    }
    if options.hub_image:
        ours["hub"]["image"] = _image(options.hub_image)
    if options.proxy_image:
        ours["proxy"] = {"chp": {"image": _image(options.proxy_image)}}
    return ours


def _image(reference: str) -> dict[str, str]:
    name, _, tag = reference.rpartition(":")
    return {"name": name, "tag": tag}


def install(options: argparse.Namespace, ours: Settings, folder: Path) -> None:
    """Install the chart, or upgrade it, for the class's students, and wait for hub and proxy."""
    file, where = folder / "values.yaml", ("-n", options.namespace)
    file.write_text(yaml.safe_dump(ours))
    files = (HUB / "values.yaml", folder / "class" / "hub-students.yaml", file)
    given = [word for file in files for word in ("-f", file)]
    run("helm", "upgrade", "--install", "hub", options.chart, *where, *given)
    for name in ("hub", "proxy"):
        run("kubectl", *where, "rollout", "status", f"deploy/{name}", "--timeout=180s")


@contextlib.contextmanager
def forwarded(namespace: str) -> Iterator[str]:
    """Give the proxy's URL on loopback while a block runs."""
    command = ["kubectl", "-n", namespace, "port-forward", "service/proxy-public", ":80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = re.search(r":(\d+) ->", process.stdout.readline())
            assert port is not None
            yield f"http://127.0.0.1:{port[1]}"
        finally:
            process.terminate()


def work(alice: Student, bob: Student, options: argparse.Namespace) -> None:
    """Do what a student does, and what a student must not be able to do."""
    for student in (alice, bob):
        seen(f"{student.name}: server ready in {student.start_server():.0f} s", True)
    kernel = alice.new_kernel()
    learn(alice, kernel, options)
    bob.run_cell("!k8s-lab exercise start 16-boutique", bob.new_kernel())
    keep_out(alice, bob, kernel, options)


def learn(alice: Student, kernel: str, options: argparse.Namespace) -> None:
    """Run what a notebook runs: connect without an argument, take a namespace, measure, start an exercise."""
    connected = alice.run_cell(
        "from k8s_helpers import connect, labs\n"
        "cluster = connect()\n"
        "print(cluster.provider.kind, cluster.provider.status().state)\n"
        "with cluster.namespace('tp') as tp:\n"
        "    print('tp is', tp.name)\n"
        "    tp.use()\n"
        "    !kubectl create deployment essai --image=vitrine:v1 && kubectl get deployment\n",
        kernel,
    )
    print(connected)
    seen("connect() finds the cluster by itself", "existing running" in connected)
    seen("a namespace is given", f"tp is {options.class_name}-alice-" in connected)
    measured = alice.run_cell(
        "recording = labs.update.measure(['rolling-naive', 'rolling'], rate_per_s=50)\n"
        "naive, careful = map(labs.update.summarize, recording.runs)\n"
        "print(f'{naive.failed} of {naive.requests} lost, then {careful.failed} of {careful.requests}')\n",
        kernel,
    )
    seen(f"a measure: {measured.strip()[-400:]}", "lost, then 0 of" in measured)
    exercise = alice.run_cell(
        "!k8s-lab exercise start 16-boutique && k8s-lab exercise check 16-boutique", kernel
    )
    print(exercise)
    seen("an exercise is started", bool(left(options, "alice")))


def keep_out(alice: Student, bob: Student, kernel: str, options: argparse.Namespace) -> None:
    """Try what a student must not be able to do."""
    others = f"{options.class_name}-bob"
    for what in (
        f"get pods -n {others}",
        f"get secrets -n {others}-1",
        f"get pods -n {options.namespace}",
        "get nodes",
        "get namespaces",
    ):
        answer = alice.run_cell(f"!kubectl {what}", kernel)
        seen(f"alice: kubectl {what}: {answer.strip()[:110]}", "orbidden" in answer)
    seen(
        f"alice opens bob's server: {alice.reach(bob.url)}",
        alice.reach(f"{bob.url}lab") in (403, 404),
    )


def left(options: argparse.Namespace, student: str) -> list[str]:
    """Return what of a student's work is on the cluster: pods, workloads, and namespaces that are still held."""
    mine = f"k8s-helpers/class={options.class_name},k8s-helpers/student={student}"
    found = []
    for namespace in run("kubectl", "get", "namespaces", "-l", mine, "-o", "name").split():
        name = namespace.partition("/")[2]
        kinds = "pods,deployments,statefulsets,jobs,services,persistentvolumeclaims"
        found += [
            f"{name}/{line}"
            for line in run("kubectl", "-n", name, "get", kinds, "-o", "name").split()
        ]
        held = run(
            "kubectl", "-n", name, "get", "leases", "-o", "jsonpath={.items[*].spec.holderIdentity}"
        )
        found += [f"{name} held by {held}"] if held.strip() else []
    return found


def gone(options: argparse.Namespace, student: str) -> bool:
    """Tell whether a student's server is there no more."""
    pods = run(
        "kubectl",
        "-n",
        options.namespace,
        "get",
        "pods",
        "-l",
        "component=singleuser-server",
        "-o",
        "name",
    )
    return f"pod/jupyter-{student}" not in pods.split()


def trial(options: argparse.Namespace, folder: Path) -> None:
    """Make the class, install the hub, and let both students work until the culler has taken their servers."""
    roster, password = folder / "liste.csv", secrets.token_urlsafe()
    roster.write_text(
        "".join(f"{line}\n" for line in ("id,nom", *(f"{s},{s.title()}" for s in STUDENTS)))
    )
    more = shlex.split(options.class_options)
    where = ("--out", folder / "class", "--hub-namespace", options.namespace)
    print(lab(options, "create", "--students", roster, "--namespaces", 3, *where, *more))
    ours = values(options, password)
    install(options, ours, folder)
    with forwarded(options.namespace) as url:
        seen("a wrong password is refused", not Student(url, "alice", "faux").signed_in)
        seen("who is not of the hub is refused", not Student(url, "charlie", password).signed_in)
        alice, bob = (Student(url, name, password) for name in STUDENTS)
        seen("alice and bob are signed in", alice.signed_in and bob.signed_in)
        work(alice, bob, options)
        seen(f"bob has: {left(options, 'bob')}", bool(left(options, "bob")))
        bob.stop_server()
        until(lambda: gone(options, "bob"), _GONE_S, "bob's server stopped")
    seen(f"bob stopped his server; left of him: {left(options, 'bob')}", not left(options, "bob"))
    seen(f"alice still has: {left(options, 'alice')}", bool(left(options, "alice")))
    ours["cull"] = {"enabled": True, "timeout": 20, "every": 10}
    install(options, ours, folder)
    until(lambda: gone(options, "alice"), _GONE_S, "the culler takes alice's server")
    seen(f"alice was culled; left of her: {left(options, 'alice')}", not left(options, "alice"))


def main() -> None:
    """Read the options, run the trial, delete what it made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chart")
    parser.add_argument("--image", required=True, help="the student's server (hub/Containerfile)")
    parser.add_argument("--hub-image", help="instead of the chart's own")
    parser.add_argument("--proxy-image", help="instead of the chart's own")
    parser.add_argument("--namespace", default="essai-hub")
    parser.add_argument("--class", dest="class_name", default="essai")
    parser.add_argument("--keep", action="store_true", help="leave all at the end")
    parser.add_argument(
        "--class-options",
        default="",
        help="more options of « k8s-lab class create », in one word: --class-options='--images images.txt'",
    )
    options = parser.parse_args()
    run("kubectl", "create", "namespace", options.namespace)
    try:
        with tempfile.TemporaryDirectory() as folder:
            trial(options, Path(folder))
    finally:
        if not options.keep:
            print(lab(options, "delete"))
            run("kubectl", "delete", "namespace", options.namespace)


if __name__ == "__main__":
    main()
