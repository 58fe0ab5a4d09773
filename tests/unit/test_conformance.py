"""What `make conformance` makes of the suite's reports; the suite itself is not run here."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from benchmarks.conformance.kit import Kit
from benchmarks.conformance.page import Run, page
from benchmarks.conformance.reasons import FILE, UNEXPLAINED, load, reason
from benchmarks.conformance.registry import served
from benchmarks.conformance.results import Spec, by_area, outcomes, read_names, tried
from k8s_helpers._errors import UsageError

READS = "[sig-node] Pods should be read [Conformance]"
WRITES = "[sig-node] Pods should be written [Conformance]"
RESOLVES = "[sig-network] DNS should resolve | all names [Conformance]"
SYSCTLS = "[sig-node] Sysctls should be set [Conformance]"


def report(*cases: tuple[str, str, str]) -> str:
    """Return a report of ginkgo's: name, status, and what stands inside the case."""
    inner = "".join(
        f'<testcase name="{name}" classname="Kubernetes e2e suite" status="{status}" time="1">{said}</testcase>'
        for name, status, said in cases
    )
    return f'<testsuites><testsuite name="e2e">{inner}</testsuite></testsuites>'


REPORT = report(
    ("[ReportBeforeSuite]", "passed", ""),
    (f"[It] {READS}", "passed", ""),
    (
        f"[It] {RESOLVES} [sig-network, Conformance]",
        "failed",
        '<failure message="pod did not start:&#xA;  more">trace</failure>',
    ),
    (f"[It] {SYSCTLS}", "skipped", '<skipped message="skipped - not in a user namespace"/>'),
    ("[It] [sig-node] nobody asked for this", "skipped", '<skipped message="skipped"/>'),
)


def test_a_list_has_one_spec_a_line_each_of_them_once() -> None:
    assert read_names(f"# a remark\n{READS}\n\n  {WRITES}\n{READS}\n") == (READS, WRITES)
    assert by_area([READS, RESOLVES, WRITES]) == {
        "sig-network": [RESOLVES],
        "sig-node": [READS, WRITES],
    }


def test_a_report_says_what_became_of_each_spec() -> None:
    assert outcomes([READS, RESOLVES, SYSCTLS, WRITES], [REPORT]) == (
        Spec(READS, "passed"),
        Spec(RESOLVES, "failed", "pod did not start:"),
        Spec(SYSCTLS, "skipped", "not in a user namespace"),
        Spec(WRITES, "missing"),
    )


def test_the_run_of_another_area_takes_no_verdict_away() -> None:
    other = report(
        (f"[It] {READS}", "skipped", '<skipped message="skipped"/>'),
        (f"[It] {WRITES}", "timedout", ""),
    )
    assert outcomes([READS, WRITES], [REPORT, other]) == (
        Spec(READS, "passed"),
        Spec(WRITES, "failed", "timedout"),
    )


def test_the_page_counts_what_ran_and_gives_a_reason_for_each_failure() -> None:
    specs = outcomes([READS, RESOLVES, SYSCTLS], [REPORT])
    text = page(Run("v1.37.0", "embarqué", specs), {"[sig-network] DNS": "pas de DNS ici"})
    assert "| `sig-network` | 0 | 1 | 0,0 % |" in text
    assert "| `sig-node` | 1 | 1 | 100,0 % |" in text
    assert "| **ensemble** | 1 | 2 | 50,0 % |" in text
    assert r"resolve \| all names [Conformance]` | pas de DNS ici |" in text
    assert "`not in a user namespace` |" in text
    assert tried(specs) == 2
    assert UNEXPLAINED in page(Run("v1.37.0", "embarqué", specs), {})


def test_a_page_without_failures_speaks_of_none() -> None:
    text = page(Run("v1.37.0", "embarqué", outcomes([READS], [REPORT])), {})
    assert "échoue" not in text and "écarté" not in text


def test_the_longest_beginning_gives_the_reason() -> None:
    reasons = {"[sig-node] Pods": "en général", "[sig-node] Pods should be read": "en particulier"}
    assert reason(READS, reasons) == "en particulier"
    assert reason(WRITES, reasons) == "en général"
    assert reason(RESOLVES, reasons) == UNEXPLAINED


def test_the_table_of_reasons_can_be_read() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert load(text) == tomllib.loads(text)["reasons"]
    assert UNEXPLAINED not in load(text).values()


def test_a_folder_that_is_no_kit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pas de programme build, images, run"):
        Kit(tmp_path)


def test_without_a_kit_the_command_says_what_to_give() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.conformance"],
        cwd=Path(__file__).parents[2],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == UsageError.exit_code
    assert "K8S_HELPERS_E2E_KIT=… make conformance" in done.stderr
    assert "Traceback" not in done.stderr


def archive(path: Path, reference: str, layer: bytes) -> str:
    """Write an OCI archive of one image and return its manifest's digest."""

    def digest(data: bytes) -> str:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    manifest = json.dumps({"layers": [{"digest": digest(layer)}]}).encode()
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest(manifest),
        "annotations": {
            "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
            "io.containerd.image.name": reference,
        },
    }
    files = {f"blobs/sha256/{digest(data)[7:]}": data for data in (layer, manifest)}
    files["index.json"] = json.dumps({"manifests": [entry]}).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return digest(manifest)


def test_a_registry_has_what_the_archives_hold(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tar", "registry.k8s.io/e2e/agnhost:2.1", b"layer")
    with served([tmp_path / "a.tar"]) as mirrors:
        host, _, address = mirrors.partition("=")
        assert host == "registry.k8s.io"
        for name in ("2.1", made):
            with urllib.request.urlopen(f"{address}/v2/e2e/agnhost/manifests/{name}") as answer:
                assert answer.headers["Content-Type"].endswith("manifest.v1+json")
                layer = json.load(answer)["layers"][0]["digest"]
        with urllib.request.urlopen(f"{address}/v2/e2e/agnhost/blobs/{layer}") as answer:
            assert answer.read() == b"layer"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/v2/e2e/agnhost/manifests/none").close()
