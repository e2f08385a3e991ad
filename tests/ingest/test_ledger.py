"""The ledger adds up, and its report is readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.ingest.ledger import Ledger


def test_columns_sum_to_the_inputs() -> None:
    ledger = Ledger(inputs=4, added=1, updated=1, unchanged=1)
    ledger.fail("a.jpg", "truncated")
    ledger.check()
    assert ledger.accounted == ledger.inputs == 4


def test_a_lost_input_is_never_silent() -> None:
    ledger = Ledger(inputs=3, added=1, unchanged=1)
    with pytest.raises(AssertionError, match="does not add up"):
        ledger.check()


def test_report_lists_each_failure_and_vanishes_without_any(tmp_path: Path) -> None:
    path = tmp_path / "failures.jsonl"
    ledger = Ledger(inputs=2)
    ledger.fail("a.jpg", "truncated")
    ledger.fail("b.jpg", "an \N{LATIN SMALL LETTER E WITH ACUTE}mpty file")
    ledger.write_report(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines == [{"uri": uri, "reason": reason} for uri, reason in ledger.failures]
    assert ledger.to_dict()["report"] == str(path)
    Ledger().write_report(path)
    assert not path.exists()
