"""``lookalike evaluate recommendation`` through the command line's own entrance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.cli.main import main
from shop_visits import SPLIT, visits, write_table

QUICK = ["--strategy", "best_score", "--strategy", "popularity", "--resamples", "200"]


@pytest.fixture
def table(sample: Path, tmp_path: Path) -> Path:
    return write_table(tmp_path / "visits.csv", visits(sample))


def test_one_document_with_measures_intervals_and_comparisons(
    capsys: pytest.CaptureFixture[str], shop_folder: Path, table: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    asked = [
        "evaluate",
        "recommendation",
        str(shop_folder),
        str(table),
        "--split",
        SPLIT,
        "--group-by",
        "product",
    ]
    assert main([*asked, "--k", "10", *QUICK, "--json", "--html", str(page)]) == 0
    document = json.loads(capsys.readouterr().out)
    row = document["strategies"]["best_score"]
    assert row["intervals"]["recall@10"]["low"] <= row["recall@10"]
    assert {"ndcg@10", "hit@10", "mrr", "coverage", "intra_list_diversity", "novelty"} <= set(row)
    assert set(document["comparisons"]["popularity"]) == {"ndcg@10", "recall@10"}
    assert document["users"] > 40
    assert (document["cold"]["users"], document["k"]) == (3, 10)
    assert document["split"] == "2026-03-01T00:00:00+00:00"
    assert page.stat().st_size > 10_000


def test_the_printed_table_shows_the_rows_and_their_differences(
    capsys: pytest.CaptureFixture[str], shop_folder: Path, table: Path
) -> None:
    asked = [
        "evaluate",
        "recommendation",
        str(shop_folder),
        str(table),
        "--split",
        SPLIT,
        "--group-by",
        "product",
    ]
    assert main([*asked, *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "recall@20" in printed
    assert "best_score minus the others" in printed
    assert "3 users without a past" in printed


def test_weights_columns_events_and_half_life_are_passed_on(
    capsys: pytest.CaptureFixture[str], shop_folder: Path, sample: Path, tmp_path: Path
) -> None:
    table = write_table(tmp_path / "named.csv", visits(sample), user="who")
    asked = [
        "evaluate",
        "recommendation",
        str(shop_folder),
        str(table),
        "--split",
        SPLIT,
        "--group-by",
        "product",
    ]
    more = ["--column", "user=who", "--weight", "view=0.5", "--event", "purchase", "--half-life", "none"]
    assert main([*asked, *more, *QUICK, "--json"]) == 0
    provenance = json.loads(capsys.readouterr().out)["provenance"]
    assert provenance["event_weights"]["view"] == 0.5
    assert provenance["wanted"] == ["purchase"]
    assert provenance["half_life"] is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--split", "soon"], "ISO 8601"),
        (["--split", SPLIT], "--group-by"),
        (["--split", SPLIT, "--group-by", "product", "--weight", "view"], "NAME=VALUE"),
        (["--split", SPLIT, "--group-by", "product", "--half-life", "long"], "expected a number"),
        (["--split", SPLIT, "--group-by", "product", "--strategy", "magic"], "interests"),
    ],
)
def test_errors_say_what_to_do(
    capsys: pytest.CaptureFixture[str], shop_folder: Path, table: Path, more: list[str], message: str
) -> None:
    assert main(["evaluate", "recommendation", str(shop_folder), str(table), *more]) == 2
    assert message in capsys.readouterr().err
