"""`make bench`: measures everything and prints one table. Best on a machine that does nothing else.

python -m benchmarks [--strict] [PART…]
"""

from __future__ import annotations

import argparse
import importlib
import sys

from .harness import table
from .row import Row

PARTS = (
    "start",
    "pods",
    "whole_memory",
    "load_generator",
    "watch_latency",
    "chart_frames",
    "probe_instants",
)


def main() -> int:
    """Run the parts in turn; with `--strict` a bar that is missed gives exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a bar is missed")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found: list[Row] = []
    for part in options.parts or PARTS:
        for row in importlib.import_module(f"{__package__}.{part}").measure():
            print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
            found.append(row)
    print(table(found))
    return int(options.strict and not all(row.ok for row in found))


if __name__ == "__main__":
    sys.exit(main())
