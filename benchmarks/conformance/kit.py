"""A kit that builds and runs Kubernetes' suite: a folder with these programs, none of which is of this repository.

| program | does |
|---|---|
| `build` | `e2e.test`, and the programs of its images, into `$XDG_CACHE_HOME/e2e/bin` |
| `images` | the images that the specs ask for, as archives in `$XDG_CACHE_HOME/e2e/archives` |
| `run --kubeconfig F --list FILE --out DIR --procs N` | runs the specs of a list and writes `DIR/junit.xml` |
| `given.txt` | a list of specs, one a line |
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from embedded_kubernetes.processes import run
from k8s_helpers._errors import UsageError

VARIABLE = "K8S_HELPERS_E2E_KIT"
_BUILD_S, _AREA_S = 3600.0, 7200.0


class Kit:
    """The kit in a folder.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    UsageError
        It is not there, or not complete.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        missing = [
            name for name in ("build", "images", "run") if not os.access(folder / name, os.X_OK)
        ]
        if missing:
            raise UsageError(
                f"Jouer la suite de tests de Kubernetes avec {folder}",
                f"pas de programme {', '.join(missing)} dans ce dossier",
                f"Donnez dans {VARIABLE} un dossier qui a build, images, run et given.txt "
                "(benchmarks/conformance/kit.py dit ce que chacun fait).",
            )
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "e2e"
        self._suite = cache / "bin" / "e2e.test"
        self._archives = cache / "archives"

    def build(self) -> None:
        """Build the suite and its images where that has not been done yet."""
        run([str(self.folder / "build")], timeout_s=_BUILD_S)
        if not any(self._archives.glob("*.tar")):
            run([str(self.folder / "images")], timeout_s=_BUILD_S)

    def archives(self) -> list[Path]:
        """Return the archives of the images."""
        return sorted(self._archives.glob("*.tar"))

    def version(self) -> str:
        """Return the suite's version, as `v1.37.0`."""
        said = run([str(self._suite), "--version"], timeout_s=60).stdout
        match = re.search(r"v\d[\w.+-]*", said)
        return said.strip() if match is None else match[0]

    def run(self, kubeconfig: Path, names: Iterable[str], out: Path, processes: int) -> str:
        """Run some specs and return their JUnit report.

        Parameters
        ----------
        kubeconfig : Path
            The cluster.
        names : iterable of str
            The specs.
        out : Path
            Where report and log are kept; made where missing.
        processes : int
            How many run at a time.
        """
        out.mkdir(parents=True, exist_ok=True)
        wanted = out / "list"
        wanted.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        argv: Sequence[str] = (
            str(self.folder / "run"),
            *("--kubeconfig", str(kubeconfig)),
            *("--list", str(wanted)),
            *("--out", str(out)),
            *("--procs", str(processes)),
        )
        run(list(argv), timeout_s=_AREA_S)
        return (out / "junit.xml").read_text(encoding="utf-8")
