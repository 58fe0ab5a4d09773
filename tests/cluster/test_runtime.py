"""Containers as processes: in namespaces where the kernel allows them, and under a prefix everywhere."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runtime_node import SOON_S, Node, alive, until

from embedded_kubernetes.node import cri
from embedded_kubernetes.node.images.library import build
from embedded_kubernetes.node.runtime import logs, proctree
from embedded_kubernetes.node.runtime.limits import PERIOD_S
from embedded_kubernetes.processes import spawn

ONE_STREAM = "exec 2>&1"
"""A script's first words where the order counts: between the two streams a log keeps none, as containerd's."""


@pytest.fixture(params=["namespaces", "prefix"])
async def node(request, tmp_path, monkeypatch):
    if request.param == "prefix":
        monkeypatch.setenv("K8S_HELPERS_ISOLATION", "prefix")
    node = Node(tmp_path)
    await node.runtime.start()
    try:
        if node.runtime.isolation != request.param:
            pytest.skip(f"no namespaces here: {node.runtime.link.detail}")
        yield node
    finally:
        await node.runtime.close()


@pytest.fixture
def spaces(node):
    if node.runtime.isolation == "prefix":
        pytest.skip("only a mount namespace does this")
    return node


async def test_argv_environment_and_name(node):
    text = await node.output("sh", "-c", 'echo "$0 $1 $A $HOSTNAME"', "x", "y z", env={"A": "b c"})
    assert text == "x y z b c pod-1"


async def test_exit_codes_and_reasons(node):
    done = await (await node.run("sh", "-c", "exit 0")).wait()
    failed = await (await node.run("sh", "-c", "exit 7")).wait()
    killed = await (await node.run("sh", "-c", "sleep 100 & wait")).stop(0)
    assert (done.exit_code, done.reason) == (0, "Completed")
    assert (failed.exit_code, failed.reason, failed.signal) == (7, "Error", 0)
    assert (killed.exit_code, killed.reason, killed.signal) == (137, "Error", signal.SIGKILL)
    assert abs(killed.finished_wall_s - time.time()) < SOON_S


async def test_a_program_that_is_not_there_or_not_allowed(node, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("not a program")
    with pytest.raises(cri.ContainerStartError, match='"nope": executable file not found in'):
        await node.run("nope")
    with pytest.raises(cri.ContainerStartError, match='"/nope": stat /nope: no such file'):
        await node.run("/nope")
    with pytest.raises(cri.ContainerStartError, match="permission denied"):
        await node.run("/x/plain", mounts=(cri.Mount(plain, "/x/plain"),))
    assert not list((tmp_path / "nodes/node-1/containers").iterdir())
    assert node.processes() == []


async def test_working_directory_and_files_of_the_image(node, tmp_path):
    folder = tmp_path / "app"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/shop.conf").write_text("open")
    (folder / "Containerfile").write_text(
        "FROM host/python\nCOPY etc /etc/shop\nCOPY etc/shop.conf /usr/local/share/shop/\nWORKDIR /app\n"
        "COPY etc/shop.conf .\n"
    )
    build(node.runtime.store.path, folder, "shop:1", {})
    text = await node.output(
        "sh",
        "-c",
        "cat shop.conf /app/shop.conf /etc/shop/shop.conf /usr/local/share/shop/shop.conf; pwd",
        image="shop:1",
    )
    assert text.startswith("openopenopenopen") and text.endswith("/app")


async def test_a_restart_loses_files(node, tmp_path):
    (tmp_path / "Containerfile").write_text("FROM host/shell\nWORKDIR /app\nRUN echo new > state\n")
    build(node.runtime.store.path, tmp_path, "a:1", {})
    line = "cat /app/state; echo used > /app/state; echo x > /tmp/x; ls /tmp"
    for _ in range(2):
        assert await node.output("sh", "-c", line, image="a:1") == "new\nx"


async def test_volumes_are_shared_and_keep_files(node, tmp_path):
    volume = tmp_path / "volume"
    (volume / "sub").mkdir(parents=True)
    mounts = (cri.Mount(volume, "/data"), cri.Mount(volume / "sub", "/etc/deep/er"))
    await node.output("sh", "-c", "echo 1 > /data/a; echo 2 > /etc/deep/er/b", mounts=mounts)
    assert (volume / "a").read_text() == "1\n"
    assert (volume / "sub/b").read_text() == "2\n"
    text = await node.output("cat", "/data/a", "/data/sub/b", mounts=mounts)
    assert text == "1\n2"


async def test_a_folder_of_the_node_is_seen_where_a_pod_wants_it_and_outlives_it(node, tmp_path):
    """What a hostPath is: slide 5.01 mounts one at /data; /opt is a folder that the node has too."""
    folder = tmp_path / "opt"
    folder.mkdir()
    for place in ("/data", "/opt"):
        mounts = (cri.Mount(folder, place),)
        await node.output("sh", "-c", f"echo {place[1:]} >> {place}/note", mounts=mounts)
    assert (folder / "note").read_text() == "data\nopt\n"
    assert await node.output("cat", "/opt/note", mounts=(cri.Mount(folder, "/opt"),)) == "data\nopt"


async def test_a_volume_inside_a_volume(spaces, tmp_path):
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    outer.mkdir()
    inner.mkdir()
    (inner / "a").write_text("deep")
    mounts = (cri.Mount(inner, "/data/x/y", True), cri.Mount(outer, "/data"))
    assert await spaces.output("cat", "/data/x/y/a", mounts=mounts) == "deep"


async def test_one_file_mounted_over_an_image_file(node, tmp_path):
    (tmp_path / "Containerfile").write_text(
        "FROM host/shell\nRUN mkdir /app && echo image > /app/conf\n"
    )
    build(node.runtime.store.path, tmp_path, "a:1", {})
    (tmp_path / "conf").write_text("mounted")
    mounts = (cri.Mount(tmp_path / "conf", "/app/conf"),)
    assert await node.output("cat", "/app/conf", image="a:1", mounts=mounts) == "mounted"


async def test_read_only_mount_and_root(spaces, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    text = await spaces.output(
        "sh",
        "-c",
        f"{ONE_STREAM}; touch /ro/x /rw/x /x /usr/x; ls /rw",
        mounts=(cri.Mount(volume, "/ro", True), cri.Mount(volume, "/rw")),
        read_only_root=True,
    )
    assert text.count("Read-only file system") == 3
    assert text.endswith("\nx")


async def test_the_container_sees_only_itself(spaces, tmp_path):
    (tmp_path / "secret").write_text("pki")
    text = await spaces.output(
        "sh",
        "-c",
        f"{ONE_STREAM}; echo $$; hostname; cat {tmp_path}/secret; ls /home; "
        "ls -d /proc/[0-9]* | wc -l; grep pod-1 /etc/hosts",
    )
    lines = text.splitlines()
    assert lines[:2] == ["1", "pod-1"]
    assert "No such file" in lines[2]
    assert int(lines[3]) <= 4
    assert lines[4].split() == ["127.244.0.9", "pod-1"]


async def test_a_running_container_sees_its_hosts_file_change(node):
    container = await node.run("sleep", "100")
    node.hosts.write_text("127.96.0.8\tbank\n")
    run = await container.exec(["cat", "/etc/hosts"])
    assert await run.stdout.read() == b"127.96.0.8\tbank\n"
    run = await container.exec(["sh", "-c", "cat /etc/hostname"])
    assert await run.stdout.read() == b"pod-1\n"


async def test_a_volume_stands_where_the_nodes_own_file_would(spaces, tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 10.96.0.10\n")
    (tmp_path / "mine").write_text("127.0.0.9\tmine\n")
    text = await spaces.output(
        *("cat", "/etc/resolv.conf", "/etc/hosts"),
        resolv_path=tmp_path / "resolv.conf",
        mounts=(cri.Mount(tmp_path / "mine", "/etc/hosts", read_only=True),),
    )
    assert text == "nameserver 10.96.0.10\n127.0.0.9\tmine"


NAMES = """
import socket, sys
print(socket.gethostname(), socket.__name__, socket.create_connection.__module__)
for name in sys.argv[1:]:
    print(socket.gethostbyname(name), socket.getaddrinfo(name, 80)[0][4][0])
"""


async def test_a_python_program_finds_the_names_of_the_hosts_file(node):
    node.hosts.write_text("# ours\n127.96.0.8\tbank bank.shop.svc # one\n127.96.0.9\tcash\n")
    container = await node.run("sleep", "100", env={"PYTHONPATH": "/none"})
    for options in ((), ("-S",)):
        names = ("bank", "bank.shop.svc", "127.0.0.1")
        run = await container.exec(["python3", *options, "-c", NAMES, *names])
        first, *said = (await run.stdout.read()).decode().splitlines()
        assert first == "pod-1 socket socket"
        assert said == ["127.96.0.8 127.96.0.8"] * 2 + ["127.0.0.1 127.0.0.1"]
    run = await container.exec(["python3", "-c", NAMES, "nowhere.invalid"])
    assert b"gaierror" in await run.stderr.read() and await run.wait() == 1


async def test_prefix_tells_programs_where_they_are(node):
    if node.runtime.isolation != "prefix":
        pytest.skip("about the prefix")
    container = await node.run("sh", "-c", "echo $K8S_ROOT $A; sleep 100", env={"A": "x:/tmp/y"})
    await until(lambda: node.log(container), "a line")
    root = container.host_path("/")
    assert node.log(container) == f"{root} x:{root}/tmp/y"


async def test_sigterm_ends_a_program_that_listens(node):
    container = await node.run(
        "sh", "-c", "trap 'echo bye; exit 3' TERM; echo on; while :; do sleep 0.05; done"
    )
    await until(lambda: node.log(container) == "on", "the trap")
    status = await container.stop(SOON_S)
    assert (status.exit_code, status.reason) == (3, "Error")
    assert node.log(container) == "on\nbye"
    assert not container.running()


async def test_sigterm_without_handler_is_ignored_by_process_one(spaces):
    container = await spaces.run("sleep", "100")
    began = time.monotonic()
    status = await container.stop(0.3)
    assert status.exit_code == 137
    assert time.monotonic() - began >= 0.3


async def test_stop_signal_of_the_image(node, tmp_path):
    (tmp_path / "Containerfile").write_text("FROM host/shell\nSTOPSIGNAL SIGUSR1\n")
    build(node.runtime.store.path, tmp_path, "a:1", {})
    container = await node.run(
        "sh", "-c", "trap 'exit 9' USR1; echo on; while :; do sleep 0.05; done", image="a:1"
    )
    await until(lambda: node.log(container), "the trap")
    assert (await container.stop(SOON_S)).exit_code == 9


TREE = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        print("grandchild", flush=True)
        time.sleep(100)
    os._exit(0)
os.wait()
print("main", flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("seconds", ["0.1", "100"])
async def test_nobody_survives_the_container(node, seconds):
    container = await node.run("python3", "-c", TREE, seconds)
    await until(lambda: {"main", "grandchild"} <= set(node.log(container).split()), "the tree")
    if seconds == "100":
        assert len(container.members()) == 2
        await container.stop(0)
    await container.wait()
    await until(lambda: node.processes() == [], "the end of the grandchild")


async def test_exec_runs_inside(node, tmp_path):
    mounts = (cri.Mount(tmp_path, "/data"),)
    (tmp_path / "a").write_text("volume")
    container = await node.run(
        "sh", "-c", "echo own > /tmp/own; sleep 100", mounts=mounts, env={"A": "1"}
    )
    await until(lambda: container.host_path("/tmp/own").is_file(), "the file")
    run = await container.exec(["sh", "-c", "cat /data/a /tmp/own; echo $A >&2; exit 5"])
    assert await run.stdout.read() == b"volumeown\n"
    assert run.stderr is not None and await run.stderr.read() == b"1\n"
    assert await run.wait() == 5
    with pytest.raises(cri.ContainerStartError, match="not found"):
        await container.exec(["nope"])
    await container.stop(0)
    with pytest.raises(cri.ContainerStartError, match="not running"):
        await container.exec(["true"])


async def test_exec_takes_input_and_can_be_killed(node):
    container = await node.run("sleep", "100")
    run = await container.exec(["cat"], stdin=True)
    assert run.stdin is not None
    run.stdin.write(b"to and fro" * 20_000)
    await run.stdin.drain()
    run.stdin.write_eof()
    assert len(await run.stdout.read()) == 200_000
    assert await run.wait() == 0
    endless = await container.exec(["sh", "-c", "sleep 100; true"])
    endless.kill()
    assert await endless.wait() == 137
    assert await endless.stdout.read() == b""
    assert container.running()


async def test_a_terminal(node):
    container = await node.run("sleep", "100")
    line = 'test -t 0 && test -t 1 && read x && echo "$x:$TERM" && stty size'
    run = await container.exec(["sh", "-c", line], stdin=True, tty=True)
    run.resize(100, 30)
    assert run.stdin is not None and run.stderr is None
    run.stdin.write(b"typed\r")
    text = (await run.stdout.read()).decode().splitlines()
    assert text == ["typed", "typed:xterm", "30 100"]
    assert await run.wait() == 0


async def test_attach_to_the_main_process(node):
    container = await node.run("sh", "-c", "while read x; do echo got $x; done", stdin=True)
    one, two = await container.attach(), await container.attach()
    assert one.stdin is not None
    one.stdin.write(b"a\n")
    assert await one.stdout.readline() == b"got a\n"
    assert await two.stdout.readline() == b"got a\n"
    two.kill()
    assert await two.stdout.read() == b""
    one.stdin.write_eof()
    assert await one.wait() == 0
    assert node.log(container) == "got a"


async def test_a_container_with_a_terminal(node):
    container = await node.run(
        "sh", "-c", "read x; stty size; test -t 1 && echo $x", stdin=True, tty=True
    )
    attached = await container.attach()
    attached.resize(90, 20)
    assert attached.stdin is not None
    attached.stdin.write(b"hi\r")
    assert (await container.wait()).exit_code == 0
    assert node.log(container).splitlines() == ["hi", "20 90", "hi"]


async def test_streams_are_told_apart_in_the_log(node):
    container = await node.run("sh", "-c", "echo out; echo err >&2; printf half")
    await container.wait()
    fields = [line.split(" ", 3)[1:] for line in container.config.log_path.read_text().splitlines()]
    assert sorted(fields) == [
        ["stderr", "F", "err"],
        ["stdout", "F", "out"],
        ["stdout", "P", "half"],
    ]


async def test_a_log_that_grows_is_rotated(node):
    container = await node.run("sh", "-c", "yes 0123456789 | head -c 12000000")
    await container.wait()
    path = container.config.log_path
    assert logs.rotated(path).stat().st_size <= logs.ROTATE_BYTES
    assert 0 < path.stat().st_size <= logs.ROTATE_BYTES


EATER = """
import time
kept = []
for _ in range(40):
    kept.append(b"x" * 10_000_000)
    time.sleep(0.01)
time.sleep(100)
"""


@pytest.mark.parametrize("line", ["exec python3 -c '{}'", "python3 -c '{}'; true"])
async def test_memory_limit_kills(node, line):
    container = await node.run("sh", "-c", line.format(EATER), memory_limit_bytes=100_000_000)
    async with asyncio.timeout(SOON_S):
        status = await container.wait()
    assert (status.exit_code, status.reason) == (137, "OOMKilled")
    await until(lambda: node.processes() == [], "the end of the tree")


async def test_memory_below_the_limit_is_left_alone_until_the_limit_changes(node):
    container = await node.run("python3", "-c", EATER, memory_limit_bytes=600_000_000)
    await until(lambda: container.usage().memory_bytes > 400_000_000, "400 MB")
    await asyncio.sleep(0.3)
    assert container.running()
    container.set_limits(memory_limit_bytes=200_000_000, cpu_limit_cores=None)
    async with asyncio.timeout(SOON_S):
        assert (await container.wait()).reason == "OOMKilled"


async def test_memory_of_a_command_counts(node):
    container = await node.run("sleep", "100", memory_limit_bytes=100_000_000)
    await asyncio.sleep(0.1)
    run = await container.exec(["python3", "-c", EATER])
    async with asyncio.timeout(SOON_S):
        assert (await container.wait()).reason == "OOMKilled"
        assert await run.wait() == 137


SPIN = "import os\nos.fork()\nwhile True: pass"


async def _held(container: cri.Container, limit_cores: float) -> None:
    """Wait until a tree that would use every processor has kept to a limit since this call.

    Where the machine is busy the node may look late and a tree runs too long; it then rests until it has earned that.
    """
    first = container.usage()
    end_s = time.monotonic() + SOON_S
    while True:
        await asyncio.sleep(1.0)
        last = container.usage()
        used_s = last.cpu_seconds - first.cpu_seconds
        # One period is in store, and one look of the node may come too late.
        if 0 < used_s < limit_cores * (last.wall_s - first.wall_s + 2 * PERIOD_S):
            return
        assert time.monotonic() < end_s, f"{used_s:.2f} s of processor time"


async def _rate(container: cri.Container, seconds: float) -> float:
    first = container.usage()
    await asyncio.sleep(seconds)
    last = container.usage()
    return (last.cpu_seconds - first.cpu_seconds) / (last.wall_s - first.wall_s)


async def test_cpu_limit_holds_a_whole_tree_and_can_change(node):
    container = await node.run("python3", "-c", SPIN, cpu_limit_cores=0.1)
    await _held(container, 0.1)
    container.set_limits(memory_limit_bytes=None, cpu_limit_cores=0.4)
    await _held(container, 0.4)
    container.set_limits(memory_limit_bytes=None, cpu_limit_cores=None)
    limit = time.monotonic() + SOON_S
    while await _rate(container, 0.5) < 0.15:
        assert time.monotonic() < limit
    await container.stop(0)


async def test_usage_counts_ended_children(node):
    child = "if os.fork() == 0:\n  while os.times().user < 0.3: pass\n  os._exit(0)\n os.wait()"
    work = f"import os\nfor _ in range(2):\n {child}"
    container = await node.run(
        "python3", "-c", work + "\nprint(1, flush=True)\nimport time; time.sleep(100)"
    )
    await until(lambda: node.log(container), "the children's end")
    used = container.usage()
    assert 0.5 < used.cpu_seconds < 3
    assert 2_000_000 < used.memory_bytes < 60_000_000


async def test_java_is_told_its_limits(node):
    show = ("sh", "-c", "echo $JAVA_TOOL_OPTIONS")
    env = {"JAVA_HOME": "/jvm", "JAVA_TOOL_OPTIONS": "-Xmx9m"}
    limits = {"memory_limit_bytes": 50_000_000, "cpu_limit_cores": 1.5}
    assert await node.output(*show, env=env) == "-Xmx9m"
    assert await node.output(*show, **limits) == ""
    told = await node.output(*show, env=env, **limits)
    expected = "-XX:MaxRAM=50000000 -XX:ActiveProcessorCount=2 -XX:+UseSerialGC -Xmx9m"
    assert told == expected


async def test_many_callers_wait_and_may_give_up(node):
    container = await node.run("sleep", "100")
    callers = [asyncio.create_task(container.wait()) for _ in range(3)]
    await asyncio.sleep(0.01)
    callers[0].cancel()
    await asyncio.wait(callers[:1])
    status = await container.stop(0)
    assert [await caller for caller in callers[1:]] == [status, status]


async def test_host_paths(node, tmp_path):
    mounts = (cri.Mount(tmp_path / "end", "/dev/termination-log"), cri.Mount(tmp_path, "/data"))
    (tmp_path / "end").touch()
    container = await node.run(
        "sh", "-c", "echo over > /dev/termination-log; sleep 100", mounts=mounts
    )
    assert container.host_path("/dev/termination-log") == tmp_path / "end"
    await until(lambda: (tmp_path / "end").read_text() == "over\n", "the message")
    assert container.host_path("/data/x/y") == tmp_path / "x/y"
    assert container.host_path("/tmp").is_dir()
    assert container.host_path("/etc/passwd").read_text() == Path("/etc/passwd").read_text()


async def test_remove_deletes_files_and_leaves_the_log(node, tmp_path):
    container = await node.run(
        "sh", "-c", "mkdir -p /tmp/a/b; touch /tmp/a/b/c; chmod 500 /tmp/a/b; echo 1"
    )
    await container.wait()
    container.remove()
    assert not list((tmp_path / "nodes/node-1/containers").iterdir())
    assert node.log(container) == "1"


OTHER_USER = """
import contextlib, os, time
with contextlib.suppress(PermissionError):
    os.setuid(1)
print("main", flush=True)
time.sleep(100)
"""


async def test_the_spawners_death_ends_every_container_and_is_told(node):
    containers = [await node.run("python3", "-c", TREE, "100") for _ in range(2)]
    containers.append(await node.run("python3", "-c", OTHER_USER))
    for container in containers:
        await until(lambda c=container: "main" in node.log(c), "the tree")
    pids = [pid for container in containers for pid in container.members()]
    assert len(pids) == 5
    os.kill(node.runtime.link.pid, signal.SIGKILL)
    async with asyncio.timeout(SOON_S):
        statuses = [await container.wait() for container in containers]
    assert {(status.exit_code, status.reason) for status in statuses} == {(137, "Error")}
    await until(lambda: not any(map(alive, pids)), "the end of all")
    assert await node.output("echo", "again") == "again"


NODE = """
import asyncio, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_runtime import TREE, Node, until

async def main():
    node = Node(Path({folder!r}))
    await node.runtime.start()
    container = await node.run("python3", "-c", TREE, "100")
    await until(lambda: "main" in node.log(container), "the tree")
    print(*container.members(), flush=True)
    await asyncio.sleep(100)

asyncio.run(main())
"""


@pytest.mark.parametrize("isolation", ["", "prefix"])
async def test_the_nodes_own_death_leaves_nothing(tmp_path, monkeypatch, isolation):
    monkeypatch.setenv("K8S_HELPERS_ISOLATION", isolation)
    script = NODE.format(paths=[str(Path(__file__).parent), *sys.path], folder=str(tmp_path))
    process = spawn([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        pids = [int(pid) for pid in (await asyncio.to_thread(process.stdout.readline)).split()]
    assert len(pids) == 2
    process.kill()
    process.wait()
    await until(lambda: not any(map(alive, pids)), "the end of all")
    assert proctree.marked(f"{tmp_path}/") == []


async def test_closing_ends_every_container(tmp_path, monkeypatch, request):
    for isolation in ("", "prefix"):
        monkeypatch.setenv("K8S_HELPERS_ISOLATION", isolation)
        node = Node(tmp_path)
        await node.runtime.start()
        container = await node.run("python3", "-c", TREE, "100")
        await until(lambda n=node, c=container: "main" in n.log(c), "the tree")
        pids = container.members()
        assert pids and all(map(alive, pids))
        await node.runtime.close()
        assert (await container.wait()).exit_code == 137
        await until(lambda p=pids: not any(map(alive, p)), "the end of all")


async def test_twenty_at_once(node):
    began = time.monotonic()
    async with asyncio.timeout(SOON_S):
        containers = await asyncio.gather(*(node.run("sleep", "100") for _ in range(20)))
    assert time.monotonic() - began < SOON_S
    assert len({container.pid for container in containers}) == 20
