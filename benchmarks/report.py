"""Keeps a benchmark's result: JSON with the machine it was measured on, and a Markdown table."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else ""
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def keep(name: str, rows: Sequence[Mapping[str, Any]], **facts: Any) -> None:
    """Write ``results/NAME.json`` and ``results/NAME.md`` and print the table."""
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": name,
        "command": "python -m " + " ".join(["benchmarks", name.partition("-")[0], *_arguments()]),
        "when": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        **facts,
        "rows": list(rows),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    table = markdown(rows)
    (RESULTS / f"{name}.md").write_text(f"`{document['command']}`\n\n{table}", encoding="utf-8")
    print(table)


def _arguments() -> list[str]:
    """The command's arguments, with paths of this machine replaced by their last part."""
    return [Path(a).name if "/" in a else a for a in sys.argv[1:]]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table; the columns are the keys of the first."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(row.get(c, "")) for c in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
