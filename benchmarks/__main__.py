"""``python -m benchmarks``: run one benchmark, or list them."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "retrieval": "customer photo -> product on a shop's data: encoders, resize policies, pooling, layers",
    "throughput": "images a second from JPEG files against a Pillow + ONNX Runtime loop; peak memory by size",
    "strength": "calibration of match strength: false alarms when a product is left out",
    "search": "latency and recall of the search in process, with and without filters",
}


def main() -> int:
    """Run the benchmark named by the first argument."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print("usage: python -m benchmarks NAME [ARGUMENTS]\n")
        for name, what in BENCHMARKS.items():
            print(f"  {name:12} {what}")
        return 2
    module = import_module(f"benchmarks.{sys.argv[1]}")
    sys.argv = [f"benchmarks {sys.argv[1]}", *sys.argv[2:]]
    module.main()
    return 0


sys.exit(main())
