"""Who a container's programs are: ids, accounts of an image, and answers of success where there is one id."""

import errno
import struct

import pytest

from embedded_kubernetes.node.runtime.users import accounts, credentials, id_maps, ranges, seccomp
from embedded_kubernetes.node.runtime.users.assumed_ids import (
    CALLS,
    PR_SET_KEEPCAPS,
    RLIMIT_LOCKS,
    SET_LIMIT,
)

ASKING = seccomp.Questions()
SAME = 0xFFFFFFFF

PASSWD = "root:x:0:0:root:/root:/bin/sh\n# none\nbroken\nweb:x:33:34::/srv/web:/bin/false\n"
GROUP = "root:x:0:\nweb:x:34:\nlogs:x:4:web,root\nwheel:x:10:root\nstaff:x:50:nobody\n"


def resolve(user, groups=(), *, of_image=True, passwd=PASSWD, group=GROUP):
    wanted = {"user": user, "groups": list(groups), "of_image": of_image}
    return accounts.resolve(wanted, passwd, group)


@pytest.mark.parametrize(
    ("user", "identity"),
    [
        ("", (0, 0, (0, 4, 10), "/root")),
        ("web", (33, 34, (34, 4), "/srv/web")),
        ("33", (33, 34, (34, 4), "/srv/web")),
        ("33:50", (33, 50, (50, 4), "/srv/web")),
        ("web:staff", (33, 50, (50, 4), "/srv/web")),
        ("1000", (1000, 0, (0,), "/")),
        ("1000:3000", (1000, 3000, (3000,), "/")),
    ],
)
def test_an_account_is_what_the_images_files_say(user, identity):
    assert resolve(user) == identity


def test_groups_that_are_asked_for_follow_those_of_the_image_and_none_is_twice():
    assert resolve("web", (2000, 4)).groups == (34, 4, 2000)
    assert resolve("web", (2000, 4), of_image=False).groups == (34, 2000, 4)


@pytest.mark.parametrize(
    ("user", "words"), [("novel", "no users found"), ("web:novel", "no groups found")]
)
def test_a_name_that_the_image_does_not_have(user, words):
    with pytest.raises(accounts.AccountError, match=words):
        resolve(user)


def test_an_image_without_accounts_has_root():
    assert resolve("", passwd="", group="") == (0, 0, (0,), "/")


RANGE = {
    "name": "range-100000-65536",
    "users": [(0, 1000, 1), (1, 100000, 65536)],
    "groups": [(0, 1000, 1), (1, 200000, 65536)],
    "programs": ("newuidmap", "newgidmap"),
}


@pytest.mark.parametrize(
    ("number", "mapped"), [(0, True), (1, True), (65536, True), (65537, False)]
)
def test_ids_of_a_range(number, mapped):
    assert id_maps.has(RANGE["users"], number) == mapped


def test_groups_that_are_not_there_are_left_out(monkeypatch):
    monkeypatch.setattr(credentials, "_text", {"/etc/passwd": PASSWD, "/etc/group": GROUP}.get)
    wanted = {"user": "web", "groups": [2000, 70000], "of_image": True}
    single = {"name": "single", "users": [(0, 1000, 1)], "groups": [(0, 1000, 1)]}
    root = {"name": "root", "users": [], "groups": []}
    assert credentials.look_up(wanted, RANGE).groups == (34, 4, 2000)
    assert credentials.look_up(wanted, single).groups == (34,)
    assert credentials.look_up(wanted, root).groups == (34, 4, 2000, 70000)
    beyond = credentials.look_up({**wanted, "user": "70000"}, RANGE)
    assert beyond[:3] == (70000, 0, (0,))


@pytest.mark.parametrize(
    ("uid_map", "whole"),
    [
        ("         0          0 4294967295\n", True),
        ("0 1000 1\n1 100000 65536\n", True),
        ("0 1000 1\n", False),
        ("0 0 1000\n70000 70000 70000\n", False),
    ],
)
def test_a_namespace_with_all_ids_that_images_use(uid_map, whole):
    assert id_maps.is_whole(uid_map) == whole


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("ann:100000:65536\n", (100000, 65536)),
        ("1000:100000:65536\n", (100000, 65536)),
        ("ann:100000:1000\nann:300000:131072\nbob:1:99999\n", (300000, 131072)),
        ("ann:100000:1000\n", None),
        ("ann:many:65536\nann:1\n\n", None),
        ("anna:100000:65536\n10001:1:65536\n", None),
        ("", None),
    ],
)
def test_what_a_file_of_subordinate_ids_grants(text, span):
    assert ranges.span(text, "ann", 1000) == span


def judge(machine, name, number, *arguments, questions=ASKING):
    """Run a filter as the kernel would; return "allow", "ask" or the error number of its answer."""
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine, questions)))
    values = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, name, 0, *values)
    at = register = 0
    while True:
        kind, when_true, when_false, operand = code[at]
        at += 1
        if kind == 0x20:
            (register,) = struct.unpack_from("=I", data, operand)
        elif kind == 0x54:
            register &= operand
        elif kind == 0x15:
            at += when_true if register == operand else when_false
        else:
            assert kind == 0x06
            verdicts = {0x7FFF0000: "allow", 0x7FC00000: "ask"}
            return verdicts.get(operand, operand - 0x00050000)


X86, ARM = seccomp.ARCHITECTURES["x86_64"], seccomp.ARCHITECTURES["aarch64"]
OPEN = 2


@pytest.mark.parametrize("machine", [X86, ARM])
def test_owners_change_without_consequence(machine):
    assert {judge(machine, machine.audit, number) for number in machine.own} == {0}
    for number in (OPEN, 500):
        assert judge(machine, machine.audit, number) == "allow"


@pytest.mark.parametrize("machine", [X86, ARM])
def test_what_sets_and_tells_ids_is_asked(machine):
    for number in CALLS[machine.name]:
        assert judge(machine, machine.audit, number) == "ask"
    prctl = 157 if machine is X86 else 167
    assert judge(machine, machine.audit, prctl, PR_SET_KEEPCAPS, 1) == "ask"
    assert judge(machine, machine.audit, prctl, PR_SET_KEEPCAPS + 1) == "allow"


@pytest.mark.parametrize("machine", [X86, ARM])
def test_the_limit_that_says_who_a_process_is_is_not_set(machine):
    old, both = SET_LIMIT[machine.name]
    files, address = 7, 0x7FFF0000
    wanted = [judge(machine, machine.audit, old, n, address) for n in (RLIMIT_LOCKS, files)]
    assert wanted == [0, "allow"]
    for resource, new, answer in (
        (RLIMIT_LOCKS, address, 0),
        (RLIMIT_LOCKS, 0, "allow"),
        (files, address, "allow"),
    ):
        assert judge(machine, machine.audit, both, 0, resource, new, address) == answer


@pytest.mark.parametrize(("machine", "number"), [(X86, 262), (ARM, 79)])
def test_whose_a_file_is_is_asked_by_path_alone(machine, number):
    owners = seccomp.Questions(owners=True)
    here, link = 0xFFFFFF9C, 0x100
    assert judge(machine, machine.audit, number, here, 1, 2, 0, questions=owners) == "ask"
    assert judge(machine, machine.audit, number, here, 1, 2, link, questions=owners) == "allow"
    assert judge(machine, machine.audit, number, 5, 1, 2, 0, questions=owners) == "allow"
    assert judge(machine, machine.audit, number, here, 1, 2, 0) == "allow"


@pytest.mark.parametrize("machine", [X86, ARM])
def test_where_nobody_answers_no_other_user_is_to_be_had_for_good(machine):
    for number, name in CALLS[machine.name].items():
        answers = [judge(machine, machine.audit, number, n, questions=None) for n in (0, SAME, 33)]
        if name in ("setuid", "setreuid", "setresuid"):
            assert answers == [0, 0, errno.EPERM]
        else:
            assert answers == [0 if name.startswith("set") else "allow"] * 3


@pytest.mark.parametrize(
    ("mode", "answer"),
    [(0o020666, 0), (0o060600, 0), (0o010600, "allow"), (0o100644, "allow"), (0o140755, "allow")],
)
def test_only_devices_are_made_without_consequence(mode, answer):
    assert judge(X86, X86.audit, 133, 0, mode) == answer
    assert judge(X86, X86.audit, 259, 0, 0, mode) == answer
    assert judge(ARM, ARM.audit, 33, 0, 0, mode) == answer


def test_another_machines_numbers_mean_something_else():
    assert judge(X86, ARM.audit, X86.own[0]) == "allow"


def test_a_range_that_newuidmap_refuses_is_none(monkeypatch):
    monkeypatch.setattr(ranges.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(ranges.id_maps, "own", lambda: {"name": "single"})
    monkeypatch.setattr(ranges, "_granted", lambda: RANGE)
    for refused, name in (("newuidmap: not allowed", "single"), (None, RANGE["name"])):
        monkeypatch.setattr(ranges, "why_refused", lambda _, answer=refused: answer)
        ranges.id_map.cache_clear()
        assert ranges.name() == name
    ranges.id_map.cache_clear()


def test_newuidmaps_words_are_those_of_the_error(tmp_path):
    program = tmp_path / "newuidmap"
    program.write_text("#!/bin/sh\necho 'uid range [0-1) not allowed' >&2\nexit 1\n")
    program.chmod(0o755)
    said = ranges.why_refused({**RANGE, "programs": (str(program), str(program))})
    assert said is not None
    assert "not allowed" in said or "unshare" in said  # where there are no user namespaces at all
