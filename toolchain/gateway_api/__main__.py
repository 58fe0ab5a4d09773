"""Writes the definitions of Gateway API that the course installs: `python toolchain/gateway_api`.

They come from the Go module `sigs.k8s.io/gateway-api` (Apache-2.0), whose version `go.mod` pins, from its channel
"standard". Left out are versions that nothing is stored in, all but the first sentence of descriptions, and the
kinds that the course's controllers do not ask for.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "k8s_helpers" / "providers" / "manifests"
KINDS = ("gatewayclasses", "gateways", "httproutes", "referencegrants")
"""What a student writes or reads."""
ASKED_FOR = ("grpcroutes", "tlsroutes", "backendtlspolicies")
"""What Traefik waits for before it serves anything (`WatchAll` in its provider `gateway`)."""


def shortened(schema: Any, *, keep: bool) -> Any:
    """Return a schema with the first sentence of each description, or with none."""
    if isinstance(schema, list):
        return [shortened(one, keep=keep) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for name, value in schema.items():
        if name == "description" and isinstance(value, str):
            if keep:
                text = " ".join(value.split("\n\n")[0].split())
                result[name] = re.split(r"(?<=[.:]) ", text)[0]
        else:
            result[name] = shortened(value, keep=keep)
    return result


def definition(folder: Path, kind: str) -> dict[str, Any]:
    """Return one definition with the version that is stored."""
    text = (folder / f"gateway.networking.k8s.io_{kind}.yaml").read_text(encoding="utf-8")
    plain: dict[str, Any] = yaml.safe_load(text)
    stored = [version for version in plain["spec"]["versions"] if version["storage"]]
    plain["spec"]["versions"] = shortened(stored, keep=kind in KINDS)
    plain.pop("status", None)
    return plain


def main() -> None:
    """Download the module by the `go` command and write the definitions."""
    argv = ["go", "mod", "download", "-json", "sigs.k8s.io/gateway-api"]
    done = subprocess.run(argv, cwd=HERE, check=True, capture_output=True, text=True)
    module = json.loads(done.stdout)
    folder = Path(module["Dir"]) / "config" / "crd" / "standard"
    head = (
        f"# Gateway API {module['Version']} (channel standard), shortened by toolchain/gateway_api.\n"
        "# Copyright The Kubernetes Authors; licensed under the Apache License, Version 2.0:\n"
        "# https://github.com/kubernetes-sigs/gateway-api/blob/main/LICENSE\n"
    )
    plain = [definition(folder, kind) for kind in (*KINDS, *ASKED_FOR)]
    text = yaml.safe_dump_all(plain, sort_keys=False, width=120, allow_unicode=True)
    TARGET.mkdir(exist_ok=True)
    path = TARGET / f"gateway-api-{module['Version']}.yaml"
    path.write_text(head + text, encoding="utf-8")
    sys.stdout.write(f"{path}: {path.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    main()
