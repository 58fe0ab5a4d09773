"""`make conformance`: specs of Kubernetes' own suite on an embedded cluster, and the page that says what they gave.

python -m benchmarks.conformance [--list FILE] [--procs N] [--out DIR] [--page FILE]

The cluster is made for the run and deleted after it. A run of two hundred specs takes about half an hour.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_kubernetes.cluster import ClusterConfig, EmbeddedCluster
from embedded_kubernetes.processes import run
from k8s_helpers._errors import K8sHelpersError, UsageError
from k8s_helpers.providers.embedded import EmbeddedProvider

from .kit import VARIABLE, Kit
from .page import Run, page
from .reasons import FILE, load
from .registry import served
from .results import Spec, by_area, count, outcomes, read_names, tried

NAME = "conformite"
"""The cluster's name; nobody's course is in it."""
_MIRRORS = "K8S_HELPERS_REGISTRY_MIRRORS"
_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "conformance.md"
_DEBIAN_IMAGES = _ROOT / "toolchain" / "images"
_K8S_LAB = str(Path(sys.executable).parent / "k8s-lab")
_ON_CLUSTER = ("--provider", "embedded", "--name", NAME)


def main() -> int:
    """Run the specs and write the page; 1 where the list names a spec that the suite does not have."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    parser.add_argument("--list", type=Path, help="which specs; the kit's given.txt by default")
    parser.add_argument("--procs", type=int, default=4, help="how many specs run at a time")
    parser.add_argument("--out", type=Path, help="where reports and logs are kept")
    parser.add_argument("--page", type=Path, default=_PAGE, help="the page to write")
    options = parser.parse_args()
    try:
        kit = _kit()
        names = read_names((options.list or kit.folder / "given.txt").read_text(encoding="utf-8"))
        out = options.out or Path(tempfile.mkdtemp(prefix="conformance-"))
        out.mkdir(parents=True, exist_ok=True)
        kit.build()
        with _cluster(kit, _lacking()) as (kubeconfig, described):
            specs = _run(kit, kubeconfig, names, out, options.procs)
        words = page(Run(kit.version(), described, specs), load(FILE.read_text(encoding="utf-8")))
    except K8sHelpersError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    options.page.write_text(words, encoding="utf-8")
    missing = [spec.name for spec in specs if spec.outcome == "missing"]
    for name in missing:
        print(f"no such spec: {name}", file=sys.stderr)
    print(f"{count(specs)['passed']} passed of {tried(specs)} tried; reports in {out}")
    return int(bool(missing))


def _kit() -> Kit:
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise UsageError(
            "Jouer la suite de tests de Kubernetes",
            f"{VARIABLE} ne dit pas où est le dossier qui la construit et la lance",
            f"Donnez ce dossier : {VARIABLE}=… make conformance",
        )
    return Kit(Path(folder).resolve())


def _lacking() -> list[Path]:
    """Return archives of images that a kit may lack, made of Debian's packages where there are any."""
    if shutil.which("apt-get") is None:
        return []
    said = run([sys.executable, str(_DEBIAN_IMAGES), "glibc-dns-testing"], timeout_s=600).stdout
    return [Path(line.partition("\t")[2]) for line in said.splitlines()]


@contextmanager
def _cluster(kit: Kit, more: list[Path]) -> Iterator[tuple[Path, str]]:
    """Give a cluster that has the suite's images: its kubeconfig, and what it is in French."""
    with served(kit.archives()) as mirrors:
        os.environ[_MIRRORS] = mirrors  # a node asks registries by itself
        try:
            run([_K8S_LAB, "up", *_ON_CLUSTER], timeout_s=600)
            for archive in (*kit.archives(), *more):
                run([_K8S_LAB, "image", "load", *_ON_CLUSTER, str(archive)], timeout_s=600)
            kubeconfig = EmbeddedProvider(NAME).kubeconfig
            network = ClusterConfig.load(kubeconfig.parent).network
            yield kubeconfig, described(EmbeddedCluster(NAME).isolation(), network, os.geteuid())
        finally:
            run([_K8S_LAB, "down", *_ON_CLUSTER], timeout_s=300)


def described(isolation: str, network: str, user: int) -> str:
    """Return in French what keeps a cluster's containers apart, and whose processes they are."""
    apart = "espaces de noms de Linux" if isolation == "namespaces" else "chemins traduits"
    own = "un réseau par pod" if network == "pods" else "le réseau de la machine"
    return f"embarqué, {apart}, {own}, lancé par {'root' if user == 0 else 'un compte ordinaire'}"


def _run(
    kit: Kit, kubeconfig: Path, names: tuple[str, ...], out: Path, processes: int
) -> tuple[Spec, ...]:
    reports = []
    for area, wanted in by_area(names).items():
        reports.append(kit.run(kubeconfig, wanted, out / (area or "other"), processes))
        specs = outcomes(wanted, reports[-1:])
        print(f"{area}: {count(specs)['passed']} of {tried(specs)}", file=sys.stderr, flush=True)
    return outcomes(names, reports)


if __name__ == "__main__":
    sys.exit(main())
