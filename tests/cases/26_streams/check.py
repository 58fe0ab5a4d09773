"""What goes through `kubectl exec` and `kubectl cp` arrives whole: long outputs, binary input, many small files."""

import hashlib
import os
import random
import subprocess
import tempfile
from pathlib import Path

from side_by_side import Case

from k8s_helpers.cluster.clusters import environment

ZEROS = 40 * 1024 * 1024
INPUT = 12_000_000
FILES = 600


def check(case: Case) -> None:
    case.apply()
    case.eventually(lambda: case.ready("p"))
    count = f"count={ZEROS // 2**20}"
    zeros = _exec(case, "p", "--", "dd", "if=/dev/zero", "bs=1M", count, "status=none")
    assert (len(zeros), zeros.count(0)) == (ZEROS, ZEROS)

    data = random.Random(26).randbytes(INPUT)
    said = _exec(case, "-i", "p", "--", "sh", "-c", "cat > /tmp/big; sha256sum", stdin=data)
    assert said.split()[0].decode() == hashlib.sha256(b"").hexdigest()  # all of it went to cat
    assert _exec(case, "p", "--", "cat", "/tmp/big") == data

    with tempfile.TemporaryDirectory() as folder:
        source, back = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        for number in range(FILES):
            (source / f"f{number}").write_bytes(b"x" * (number % 300))
        case.out("cp", str(source), "p:/tmp/many", timeout_s=240)
        case.out("cp", "p:/tmp/many", str(back), timeout_s=240)
        sent, received = (
            {path.name: path.read_bytes() for path in place.iterdir()} for place in (source, back)
        )
        assert received == sent


def _exec(case: Case, *args: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        ["kubectl", "--namespace", case.namespace.name, "exec", *args],
        input=stdin,
        capture_output=True,
        timeout=240,
        env={**os.environ, **environment(case.cluster.provider)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
