"""Ids that processes assume where there is one for all: what is set is what is said, and root does not return."""
# The calls themselves are what is tried.
# ruff: noqa: PTH116

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable

import pytest

from embedded_kubernetes.node.runtime import syscalls as linux
from embedded_kubernetes.node.runtime.users import accounts, id_answers, seccomp
from embedded_kubernetes.node.runtime.users.assumed_ids import CALLS, Assumed, Table, changed

SAME = 0xFFFFFFFF
ROOT = (0, 0, 0, 0)
REDIS = (997, 997, 997, 997)
BACK = (997, 997, 0, 997)


class Memory:
    """A process that asks: its number, and memory that starts at 0."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.data = bytearray(4096)

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.data[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        self.data[address : address + len(data)] = data


@pytest.mark.parametrize(
    ("kind", "now", "wanted", "new"),
    [
        ("set", ROOT, (997,), REDIS),
        ("setres", ROOT, (SAME, 997, SAME), (0, 997, 0, 997)),
        ("setre", ROOT, (SAME, 997), (0, 997, 997, 997)),
        ("setre", ROOT, (SAME, 0), ROOT),
        ("setfs", ROOT, (997,), (0, 0, 0, 997)),
        ("setfs", REDIS, (0,), REDIS),
        ("set", BACK, (0,), (997, 0, 0, 0)),
        ("setres", BACK, (0, 0, SAME), ROOT),
        ("setre", BACK, (997, 0), (997, 0, 0, 0)),
        ("set", REDIS, (997,), REDIS),
        ("set", REDIS, (0,), errno.EPERM),
        ("setres", REDIS, (997, 997, 5), errno.EPERM),
        ("setre", BACK, (0, SAME), errno.EPERM),
        ("set", (5, 997, 5, 997), (997,), errno.EPERM),
        ("set", ROOT, (SAME,), errno.EINVAL),
    ],
)
def test_ids_change_by_the_kernels_rules(kind, now, wanted, new):
    try:
        got = changed(kind, now, wanted, now[1] == 0)
    except OSError as error:
        got = error.errno
    assert got == new


def call(table: Table, process: Memory, name: str, *arguments: int) -> int:
    """Return the value of a call, or the negative error number as the kernel does."""
    try:
        return table.call(process, name, [*arguments, *[0] * (6 - len(arguments))])
    except OSError as error:
        return -(error.errno or 0)


def test_what_a_process_sets_is_what_it_is_told():
    table, process = Table(Assumed()), Memory()
    struct.pack_into("=2I", process.data, 64, 997, 5)
    assert call(table, process, "setgroups", 2, 64) == 0
    assert call(table, process, "setgid", 996) == 0
    assert call(table, process, "setuid", 997) == 0
    names = ("getuid", "geteuid", "getgid", "getegid")
    assert [call(table, process, name) for name in names] == [997, 997, 996, 996]
    assert call(table, process, "getresgid", 0, 4, 8) == 0
    assert struct.unpack_from("=3I", process.data) == (996, 996, 996)
    assert call(table, process, "getgroups", 0, 0) == 2
    assert call(table, process, "getgroups", 1, 0) == -errno.EINVAL
    assert call(table, process, "getgroups", 8, 128) == 2
    assert struct.unpack_from("=2I", process.data, 128) == (997, 5)
    refused = [call(table, process, *words) for words in (("setuid", 0), ("setgid", 0))]
    assert [*refused, call(table, process, "setgroups", 0, 0)] == [-errno.EPERM] * 3


def test_a_child_is_who_its_parent_was_and_a_sibling_is_not():
    table, parent = Table(Assumed(group=(7, 7, 7, 7))), Memory()
    sibling = Memory(parent.number)
    call(table, parent, "setuid", 997)
    child = Memory(parent.number)
    assert call(table, child, "setuid", 997) == 0
    assert [call(table, process, "getuid") for process in (child, sibling)] == [997, 0]
    assert [call(table, process, "getgid") for process in (child, sibling)] == [7, 7]


def test_groups_are_changed_after_the_user_by_who_keeps_the_right():
    table, process = Table(Assumed()), Memory()
    assert call(table, process, "prctl", 8, 1) == 0
    assert call(table, process, "setresuid", 997, 997, 997) == 0
    assert call(table, process, "setresgid", 997, 997, 997) == 0
    assert call(table, process, "setresuid", 0, 0, 0) == -errno.EPERM


def test_a_number_that_a_process_gave_itself_is_nobodys():
    table = Table(Assumed())
    assert call(table, Memory(12345), "getuid") == 0


def test_no_more_identities_than_a_limit():
    table = Table(Assumed())
    answers = [call(table, Memory(), "setuid", uid) for uid in range(1, 5000)]
    assert answers.count(0) == 4095
    assert answers[-1] == -errno.EAGAIN
    assert call(table, Memory(), "setuid", 1) == 0


def test_both_machines_answer_the_same_calls():
    assert sorted(CALLS["x86_64"].values()) == sorted(CALLS["aarch64"].values())


def answered(program: Callable[[], object]) -> str:
    """Return what a program says in a process whose questions about ids are answered."""
    answerer, link = id_answers.fork(())
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "no listener"
        try:
            linux.forbid_new_privileges()
            listener = seccomp.emulate_root(seccomp.Questions(owners=True))
            said = "no answer"
            id_answers.introduce(link, listener, accounts.Identity(0, 0, (0, 9), "/"))
            said = repr(program())
        except BaseException as error:
            said = said if said == "no listener" else repr(error)
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    os.kill(answerer, 9)
    os.waitpid(answerer, 0)
    link.close()
    if said == "no listener":
        pytest.skip("this kernel gives none")
    return said


def has_a_second_listener() -> object:
    """Ask for a filter with a listener where another one listens already: a nested runtime."""
    try:
        seccomp.emulate_root(seccomp.Questions())
    except OSError as error:
        refusal = error.errno
    os.setuid(0)
    os.chown("/dev/null", 33, 33)
    try:
        os.setuid(33)
    except PermissionError as error:
        return refusal == errno.EBUSY, error.errno
    return "another user, who does not know"


def test_without_a_listener_no_other_user_is_to_be_had() -> None:
    assert answered(has_a_second_listener) == repr((True, errno.EPERM))


def becomes_redis() -> object:
    before = os.getresuid(), os.getgroups()
    os.setresgid(997, 997, 997)
    os.setresuid(997, 997, 997)
    return before, os.getresuid(), os.getresgid(), os.geteuid()


def test_the_kernel_hands_on_what_is_asked():
    assert answered(becomes_redis) == repr(((ROOT[:3], [9]), REDIS[:3], REDIS[:3], 997))


def forks() -> object:
    """Ask by `id` in a child of a process that became somebody, and of one that did not, once these have ended."""
    said = []
    for uid in (0, 997):
        gate, reading = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.setuid(uid)
            if os.fork() == 0:
                os.read(gate[0], 1)  # until its parent is gone
                os.dup2(reading[1], 1)
                os.execvp("id", ["id", "-u"])
            os._exit(0)
        os.wait()
        os.write(gate[1], b"!")
        said.append(os.read(reading[0], 100))
    return said


def test_who_a_process_is_outlives_its_parent():
    assert answered(forks) == repr([b"0\n", b"997\n"])


def owns() -> object:
    before = os.stat("/").st_uid, os.lstat("/").st_uid
    os.setuid(997)
    return before, os.stat("/").st_uid, os.stat("/../etc").st_uid, os.lstat("/").st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="/ is root's")
def test_files_of_root_belong_to_who_asks_by_path():
    assert answered(owns) == repr(((0, 0), 997, 997, 0))


def looks_elsewhere() -> object:
    os.setuid(997)
    return os.stat("/proc/self/fd/0").st_mode == os.fstat(0).st_mode, _errno("/nowhere")


def _errno(path: str) -> int | None:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno
    return None


def test_what_is_unusual_the_kernel_answers():
    assert answered(looks_elsewhere) == repr((True, errno.ENOENT))
