"""``python -m benchmarks``: run one benchmark, or list them."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "retrieval": "customer photo -> product on a shop's data: encoders, resize policies, pooling, layers",
    "throughput": "images a second from JPEG files against a Pillow + ONNX Runtime loop; peak memory by size",
    "strength": "calibration of match strength: false alarms when a product is left out",
    "search": "latency and recall of the search in process, with and without filters",
    "reduction": "customer photo -> product with smaller vectors: methods, dimensions, precisions against float32",
    "pipeline": "customer photo -> product step by step: reducers, regions, re-ranking, with intervals and cost",
    "clustering": "clusters against known groups and other methods; time and memory by size",
    "duplicates": "edited copies found among originals and other views of them; time and memory by size",
    "layout": "quality of the 2-D layout against other methods; time and memory by size",
    "classification": "labels from 1, 5, 16 and all examples a class: accuracy, calibration, unknowns",
    "explaining": "where two pictures look alike: exactness and time",
    "together": "what goes together: time and memory of learning and of asking, by size",
    "recommendation": "what users did next: strategies against simple methods; diversity; new products",
    "recommending": "latency of a recommendation and of recording an event, by size",
    "tracking": "identities across cameras, step by step, against the truth; time",
    "reidentification": "crops of people across cameras: what each part of the descriptor adds",
    "planning": "what `lookalike plan` predicts against what is measured",
    "copying": "collections copied between engines: items a second, CPU and peak memory by size",
    "engines": "what a store does in a folder, SQLite and Lance: writing, reading, bytes, following, compacting",
    "growth": "time, memory and bytes of storing, indexing, searching, clustering and compacting, by size",
    "milvus_search": "a Milvus server against the index of this machine: latency and recall, with and without filters",
    "index_building": "an index built once and loaded elsewhere; search cost of several graphs against one",
    "ray_indexing": "indexing on a local Ray against this process: images a second",
    "ray_data": "indexing on Ray by our own workers against Ray Data: images a second, and what faults cost",
    "ray_tasks": "labels, clusters, copies and migration on Ray against this process",
    "serving": "the service under load: latency and rate by clients, with and without batching; ten times too much",
    "evaluation": "coverage of the intervals, cost of the evaluations",
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
