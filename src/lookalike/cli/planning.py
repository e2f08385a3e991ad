"""The command that plans."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lookalike.cli.grammar import DONE
from lookalike.cli.output import human_bytes, print_json, print_table
from lookalike.errors import InputError
from lookalike.planning.measured import Measured, read_measured
from lookalike.planning.plan import Plan
from lookalike.planning.plan import plan as work_out
from lookalike.planning.workload import Machines, Workload

DEFAULT_ENCODER = "efficientnet-lite0"


def plan(options: argparse.Namespace) -> int:
    """Measure when asked, then plan."""
    encoders = options.encoder or [DEFAULT_ENCODER]
    measured = _measured(options, encoders)
    if options.images is None:
        if options.calibrate is None:
            raise InputError(
                "--images is missing: how many pictures, such as --images 1e7; or --calibrate alone"
            )
        _say_measured(options, measured)
        return DONE
    if len(encoders) > 1:
        raise InputError(f"a plan is for one encoder, got {', '.join(encoders)}: give --encoder once")
    workload = Workload(
        images=options.images,
        qps=options.qps,
        p99=_seconds(options.p99),
        encoder=encoders[0],
        dims=options.dims,
        precision=options.precision,
        uploads=options.uploads,
        hours=options.hours,
        replicas=options.replicas,
    )
    machines = Machines(
        cores=options.cores,
        memory=options.memory * 1e9,
        price=options.price,
        storage_price=options.storage_price,
        core_speed=options.core_speed,
    )
    found = work_out(workload, machines=machines, measured=measured, seed=options.seed)
    if options.json:
        print_json(found.to_dict())
    else:
        _show(found)
    return DONE


def _measured(options: argparse.Namespace, encoders: list[str]) -> Measured:
    if options.calibrate is None:
        if options.save:
            raise InputError("--save keeps what --calibrate measures: give both, or neither")
        return read_measured(Path(options.measured) if options.measured else None)
    if options.measured:
        raise InputError("--calibrate measures and --measured reads what was measured: give one of them")
    from lookalike.planning.calibration import calibrate

    def report(line: str) -> None:
        print(line, file=sys.stderr)

    found = calibrate(Path(options.calibrate) if options.calibrate else None, encoders, report=report)
    if options.save:
        found.save(Path(options.save))
    return found


def _say_measured(options: argparse.Namespace, measured: Measured) -> None:
    if options.json:
        print_json(measured.to_dict())
        return
    rows = [
        *((f"index a picture, {name}", _ms(value)) for name, value in measured.index_seconds.items()),
        *((f"embed a query, {name}", _ms(value)) for name, value in measured.embed_seconds.items()),
        ("everything else of a request", _ms(measured.request_seconds)),
        ("search 1,000,000 vectors of 256", _ms(measured.search.seconds(1e6, 256))),
        ("index 1,000,000 vectors of 256, each", _ms(measured.build.total(1e6, 256) / 1e6)),
        ("an item in the record, without its vector", human_bytes(round(measured.record_bytes))),
        ("a process", human_bytes(round(measured.process_bytes))),
    ]
    print_table(f"One core of {measured.machine}", ["", "takes"], rows, right=["takes"])


def _show(found: Plan) -> None:
    asked, rented = found.workload, found.machines
    print_table(
        f"{asked.images:,.0f} pictures, {asked.qps:g} searches a second, p99 {asked.p99 * 1000:g} ms, {asked.encoder}; "
        f"machines of {rented.cores} cores and {rented.memory / 1e9:g} GB",
        ["", "machines", "takes", "", "costs"],
        _rows(found),
        right=["machines", "costs"],
    )
    for note in found.notes:
        print(f"- {note}")


def _rows(found: Plan) -> list[tuple[object, ...]]:
    embedding, index, storage, serving = found.embedding, found.index, found.storage, found.serving
    money = found.machines.currency
    latencies = serving.latencies
    return [
        (
            "embed all, once",
            embedding.machines,
            f"{embedding.hours:.1f} hours",
            f"{embedding.core_hours:,.0f} core hours, {embedding.straggling:.2f} x ideal",
            f"{embedding.cost:,.0f} {money}",
        ),
        (
            "index" if index.engine == "process" else "index, Milvus",
            index.shards,
            f"{index.build_hours:.2f} hours to build",
            f"{index.vectors_per_shard:,} x {index.dimensions} {index.precision}, "
            f"{human_bytes(round(index.memory_per_shard))} of memory each",
            "",
        ),
        (
            "store",
            "",
            human_bytes(round(storage.record + storage.derived + storage.replicas)),
            f"record {human_bytes(round(storage.record))}, searched {human_bytes(round(storage.derived))}, "
            f"replicas {human_bytes(round(storage.replicas))}",
            f"{storage.cost_per_month:,.0f} {money} a month",
        ),
        (
            "serve",
            f"{serving.embedders} + {serving.searchers}" if serving.embedders else serving.searchers,
            f"p50 {latencies.p50 * 1000:.0f}, p95 {latencies.p95 * 1000:.0f}, p99 {latencies.p99 * 1000:.0f} ms",
            "; ".join(f"{name} {share:.0%} busy" for name, share in serving.utilisation.items())
            + f"; {serving.replicas} {'copy' if serving.replicas == 1 else 'copies'}",
            f"{serving.cost_per_month:,.0f} {money} a month",
        ),
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"


def _seconds(text: str) -> float:
    """A time such as ``50ms`` or ``0.2s``."""
    for unit, factor in (("ms", 1e-3), ("s", 1.0)):
        number = text.removesuffix(unit)
        if number != text:
            try:
                return float(number) * factor
            except ValueError:
                break
    raise InputError(f"--p99 {text} is no time: expected one such as 50ms or 0.2s")
