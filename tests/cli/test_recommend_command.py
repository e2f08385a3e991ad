"""``lookalike recommend`` as users type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.collection.facade import Collection
from shop_visits import visits


@pytest.fixture
def visited(shop: Collection, sample: Path) -> Collection:
    shop.add_interactions(visits(sample, newcomers=0), progress=False)
    return shop


def anybody(shop: Collection) -> str:
    return next(iter(shop.profiles(group_by="product"))).user


def test_examples_are_answered_as_in_python(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [item.id for item in shop]
    arguments = ["recommend", shop.path, "--like", ids[0], ids[9], "--dislike", ids[50], "-k", "4"]
    assert main([*arguments, "--group-by", "product", "--where", "price < 500", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    answer = shop.recommend(
        like=[ids[0], ids[9]], dislike=[ids[50]], k=4, group_by="product", where="price < 500"
    )
    assert [each["id"] for each in document["recommendations"]] == [each.id for each in answer]
    assert document["recommendations"][0]["because"][0]["id"] == answer[0].because[0].id


def test_a_user_is_answered_with_reasons_and_a_page(
    visited: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "for.html"
    user = anybody(visited)
    arguments = [
        "recommend",
        visited.path,
        "--user",
        user,
        "--group-by",
        "product",
        "--fit",
        "--html",
        str(page),
    ]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert f"recommended for {user}" in printed.out
    assert "alike" in printed.out
    assert "interests" in printed.out
    assert "learned from" in printed.err
    assert page.exists()


def test_options_reach_the_collection(visited: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    options = {
        "--strategy": "best_score",
        "--diversity": "0.4",
        "--half-life": "none",
        "--at": "2026-02-01T00:00:00Z",
        "--seed": "3",
    }
    flat = [part for pair in options.items() for part in pair]
    assert (
        main(
            ["recommend", visited.path, "--user", anybody(visited), "--group-by", "product", "--json", *flat]
        )
        == 0
    )
    provenance = json.loads(capsys.readouterr().out)["provenance"]
    assert provenance["strategy"] == "best_score"
    assert provenance["half_life_days"] is None
    assert provenance["parameters"]["diversity"] == 0.4
    assert provenance["parameters"]["at"].startswith("2026-02-01")
    assert provenance["parameters"]["seed"] == 3
    assert main(["recommend", visited.path, "--user", "nobody", "--looks-alone", "--again", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["together"] is None


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "give a user, or examples"),
        (["--user", "ada", "--half-life", "soon"], 2, "a number of days, learned or none"),
        (["--like", "no/such.jpg"], 1, "no/such.jpg"),
        (["--user", "ada", "--fit"], 2, "nothing to learn from"),
    ],
)
def test_what_cannot_be_answered_is_said(
    shop: Collection, options: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", shop.path, *options]) == code
    assert message in capsys.readouterr().err


def test_more_like_this_but_is_an_option_of_search(
    shop: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    item = next(iter(shop))
    assert main(["search", shop.path, item.id, "--but", "chair", "-k", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["provenance"]["parameters"]["but"] == "chair"
    assert len(document["hits"]) == 3
