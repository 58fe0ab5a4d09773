"""`make bench`: measures everything and prints one table. Best on a machine that does nothing else.

python -m benchmarks [--strict] [PART…]

The soak takes half an hour, and so is made only where it is named:
python -m benchmarks soak [--minutes N] [--figure FILE]
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from .harness import table
from .row import Row

PARTS = (
    "start",
    "pods",
    "whole_memory",
    "load_generator",
    "afternoon",
    "watch_latency",
    "probe_instants",
)
SOAK = "soak"


def main() -> int:
    """Run the parts in turn; with `--strict` a bar that is missed gives exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join((*PARTS, SOAK)))
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a bar is missed")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the soak lasts")
    parser.add_argument("--figure", type=Path, help="where the soak's curve is drawn (PNG)")
    options = parser.parse_args()
    known = (*PARTS, SOAK)
    unknown = set(options.parts) - set(known)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    found: list[Row] = []
    for part in options.parts or PARTS:
        given = (options.minutes, options.figure) if part == SOAK else ()
        for row in importlib.import_module(f"{__package__}.{part}").measure(*given):
            print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
            found.append(row)
    print(table(found))
    return int(options.strict and not all(row.ok for row in found))


if __name__ == "__main__":
    sys.exit(main())
