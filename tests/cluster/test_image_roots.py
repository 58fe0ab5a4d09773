"""Containers of an image with its own files: they see these alone, and are who they are asked to be.

The same is done in this process and, where this one is root's, by an ordinary user, who goes another way.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import ordinary_user
import pytest
from runtime_node import Node

from embedded_kubernetes.node import cri
from embedded_kubernetes.node.runtime.users import ranges

PROGRAMS = ("sh", "cat", "chown", "grep", "id", "ls", "rm", "setpriv", "sleep", "stat", "touch")
NON_ROOT = cri.UserConfig("web:3000", (2000,))
ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/srv:/bin/sh\n"
START = """
if [ "$(id -u)" = 0 ]; then
    chown 1000 /data
    exec setpriv --reuid=1000 --regid=1000 --clear-groups sh "$0"
fi
id; test -O /data && echo own; setpriv --reuid=0 id 2>/dev/null || echo refused
"""
"""How the official images of servers start: as root, and once more as the service's user."""
LINES = {
    "service": "sh /bin/start",
    "root": "id -u; id -g; echo $HOME; touch /new; chown 33:33 /new; stat -c %u /new; echo x >/dev/stderr",
    "files": "ls -A / /dev/null /dev/pts /dev/shm /etc; cat /etc/hostname; rm /opt/given; ls /opt",
    "web": "id -u; id -g; id -G; echo $HOME; pwd; touch /tmp/new; stat -c %u:%g /tmp/new; echo x >/dev/stderr",
    "privileges": "grep -E 'Cap(Prm|Eff|Inh|Amb)|NoNew' /proc/self/status",
    "read only": "touch /new || touch /data/new && ls /data",
}


def make_layers(folder: Path) -> list[Path]:
    """Lay out an image of this machine's shell and a few programs, and of a second layer above it."""
    low, high = folder / "low", folder / "high"
    for name in PROGRAMS:
        source = Path(str(shutil.which(name))).resolve()
        needed = re.findall(r"(/\S+) \(0x", subprocess.check_output(["ldd", source], text=True))
        for path, target in ((source, low / "bin" / name), *((p, low / p[1:]) for p in needed)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(path).resolve(), target)
    for name, text in {
        "etc/passwd": ACCOUNTS,
        "bin/start": START,
        "opt/given": "1",
        "data/kept": "1",
    }.items():
        (low / name).parent.mkdir(exist_ok=True)
        (low / name).write_text(text)
    (low / "tmp").mkdir()
    (low / "tmp").chmod(0o1777)
    (low / "data").chmod(0o777)
    (high / "opt").mkdir(parents=True)
    (high / "opt/more").touch()
    return [low, high]


async def look(folder: Path) -> dict[str, Any]:
    """Run containers and return what they print."""
    node = Node(folder)
    await node.runtime.start()
    image = cri.ImageConfig("own:1", "sha256:1", tuple(make_layers(folder)), volumes=("/data",))
    found: dict[str, Any] = {
        "isolation": node.runtime.isolation,
        "ids": node.runtime.ids,
        "overlay": node.runtime.link.overlay_refusal,
    }
    try:
        if node.runtime.isolation == "namespaces":
            await _look(node, image, found)
    finally:
        await node.runtime.close()
        ranges.delete(folder)
    return found


async def _look(node: Node, image: cri.ImageConfig, found: dict[str, Any]) -> None:
    special: dict[str, dict[str, Any]] = {
        "web": {"user": NON_ROOT, "working_dir": "/work/here"},
        "privileges": {"user": NON_ROOT, "no_new_privileges": True},
        "read only": {"read_only_root": True},
    }
    for name, line in LINES.items():
        changes = {"image": image, "env": {}, "working_dir": "/"} | special.get(name, {})
        found[name] = (await node.output("sh", "-c", line, **changes)).splitlines()
    changes = {"image": image, "user": NON_ROOT, "working_dir": "/"}
    container = await node.run("sleep", "100", **changes)
    command = await container.exec(["sh", "-c", "id -u; id -g; touch /tmp/by"])
    found["exec"] = (await command.stdout.read()).decode().split()
    found["user"] = container.user["linux"]
    found["written"] = container.host_path("/tmp/by").is_file()
    await container.stop(0)
    container.remove()
    found["left"] = container.folder.exists()
    try:
        await node.run("id", **{**changes, "user": cri.UserConfig("novel")})
    except cri.ContainerCreateError as error:
        found["novel"] = str(error)


SCRIPT = """
import asyncio, json, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_image_roots import look
print(json.dumps(asyncio.run(look(Path({folder!r})))))
"""


def looked(who: str, folder: Path) -> dict[str, Any]:
    """Have `look` done in a process of its own, by this process's user or an ordinary one."""
    here = Path(__file__).parent
    place = folder / "node"
    place.mkdir()
    script = SCRIPT.format(paths=[str(here), str(here.parent), *sys.path], folder=str(place))
    argv = [sys.executable, "-c", script]
    env = dict(os.environ)
    if who == "ordinary":
        uid = ordinary_user.nameless_uid()
        os.chown(place, uid, uid)
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(parent.stat().st_mode | 0o011)
        needed = {Path(sys.base_prefix), Path(sys.prefix), here.parents[1]}
        argv = [sys.executable, ordinary_user.__file__, str(uid), *map(str, needed), "--", *argv]
        env |= {"HOME": str(place), "K8S_HELPERS_HOME": str(place / "home")}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module", params=["own", "ordinary"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "ordinary" and os.geteuid() != 0:
        pytest.skip("this is one")
    answer = looked(request.param, tmp_path_factory.mktemp("image"))
    if answer["isolation"] != "namespaces":
        pytest.skip("no namespaces here")
    return answer


def test_root_is_root_of_its_own_files(found: dict[str, Any]) -> None:
    owner = "0" if found["ids"] == "single" else "33"
    assert found["root"] == ["0", "0", "/root", owner, "x"]


def test_the_image_is_all_there_is(found: dict[str, Any]) -> None:
    text = found["files"]
    top = text[text.index("/:") + 1 : text.index("", text.index("/:"))]
    own = {"bin", "data", "dev", "etc", "opt", "proc", "sys", "tmp"}
    assert own <= {*top} <= own | {"lib", "lib64", "usr"}
    assert {"hostname", "hosts", "passwd"} <= {*text[text.index("/etc:") :]}
    assert text[-2:] == ["pod-1", "more"]


def test_a_server_leaves_root_by_starting_itself_again(found: dict[str, Any]) -> None:
    identity, *rest = found["service"]
    assert identity.startswith("uid=1000(web) gid=1000 groups=1000")
    assert rest == ["own", "refused"]


def test_another_user_has_his_ids_and_no_privileges(found: dict[str, Any]) -> None:
    groups = ["3000"] if found["ids"] == "single" else ["3000", "2000"]
    uid, gid, all_groups, *rest = found["web"]
    assert (uid, gid, rest) == ("1000", "3000", ["/srv", "/work/here", "1000:3000", "x"])
    assert {*all_groups.split()} >= {*groups}
    assert found["user"] == {"uid": 1000, "gid": 3000, "supplementalGroups": [*map(int, groups)]}
    assert found["exec"] == ["1000", "3000"]
    values = dict(line.split(":\t") for line in found["privileges"])
    assert values.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in values.values()} == {0}


def test_a_volume_of_the_image_stays_writable_in_a_read_only_root(found: dict[str, Any]) -> None:
    assert "Read-only file system" in found["read only"][0]
    assert found["read only"][1:] == ["kept", "new"]


def test_a_user_whom_the_image_does_not_know(found: dict[str, Any]) -> None:
    assert re.fullmatch(
        r"failed to create containerd container: mount callback failed on \S+: no users found",
        found["novel"],
    )


def test_what_is_written_is_found_and_goes(found: dict[str, Any]) -> None:
    assert found["written"]
    assert not found["left"]


async def test_without_namespaces_such_an_image_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_HELPERS_ISOLATION", "prefix")
    node = Node(tmp_path)
    await node.runtime.start()
    try:
        with pytest.raises(cri.ContainerCreateError, match="brings its own root file system"):
            await node.run("id", image=cri.ImageConfig("own:1", "sha256:1", ()))
    finally:
        await node.runtime.close()


async def test_layers_are_copied_where_they_cannot_be_mounted(tmp_path: Path) -> None:
    node = Node(tmp_path)
    await node.runtime.start()
    try:
        if node.runtime.isolation != "namespaces":
            pytest.skip("no namespaces here")
        node.runtime.link.overlay_refusal = "asked to do without"
        image = cri.ImageConfig("own:1", "sha256:1", tuple(make_layers(tmp_path)))
        line = LINES["files"] + "; touch /opt/new; id -u"
        async with asyncio.timeout(20):
            said = await node.output("sh", "-c", line, image=image, env={}, working_dir="/")
        assert said.splitlines()[-3:] == ["pod-1", "more", "0"]
        assert [path.name for path in (image.layers[0] / "opt").iterdir()] == ["given"]
    finally:
        await node.runtime.close()
