"""``lookalike keys``, and what ``lookalike serve`` refuses before it serves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lookalike.cli.grammar import ERROR, USAGE, UsageError
from lookalike.cli.main import main
from lookalike.cli.serving import moment_of, named
from lookalike.service.keys import KeyFile
from lookalike.service.settings import ServiceSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.json"
    monkeypatch.setenv("LOOKALIKE_KEYS", str(path))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_key_is_made_listed_and_revoked(capsys: pytest.CaptureFixture[str], keys: Path) -> None:
    code, token, said = run(capsys, "keys", "create", "shop page", "--collection", "shop", "--expires", "90d")
    assert code == 0
    assert re.fullmatch(r"lk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n", token)
    assert "only time" in said
    key = KeyFile(keys).check(token.strip())
    assert key is not None
    assert key.collections == ("shop",)
    _, listed, _ = run(capsys, "keys", "list")
    assert "shop page" in listed
    assert token.strip()[16:] not in listed
    assert run(capsys, "keys", "revoke", "shop page")[0] == 0
    assert KeyFile(keys).check(token.strip()) is None
    assert run(capsys, "keys", "revoke", "shop page")[0] == USAGE


def test_the_json_documents_hold_no_hash(capsys: pytest.CaptureFixture[str], keys: Path) -> None:
    _, made, _ = run(capsys, "keys", "create", "a", "--scope", "admin", "--json")
    document = json.loads(made)
    assert KeyFile(keys).check(document["token"]) is not None
    assert (document["scope"], document["file"]) == ("admin", str(keys))
    _, listed, _ = run(capsys, "keys", "list", "--json")
    (key,) = json.loads(listed)["keys"]
    assert key["name"] == "a"
    assert "hash" not in made + listed
    assert document["token"] not in listed
    _, revoked, _ = run(capsys, "keys", "revoke", key["id"], "--json")
    assert json.loads(revoked)["revoked"]["id"] == key["id"]


def test_another_file_can_be_named(capsys: pytest.CaptureFixture[str], keys: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    run(capsys, "keys", "create", "a", "--keys", str(other))
    assert len(KeyFile(other).all()) == 1
    assert not keys.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", datetime(2026, 3, 2, 0, tzinfo=UTC)),
        ("90d", datetime(2026, 5, 30, 12, tzinfo=UTC)),
        ("2w", datetime(2026, 3, 15, 12, tzinfo=UTC)),
        ("2030-12-31", datetime(2031, 1, 1, tzinfo=UTC)),
        ("2030-12-31T08:00+00:00", datetime(2030, 12, 31, 8, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_span_or_a_date(text: str, expected: datetime) -> None:
    assert moment_of(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "0d", "90", "-1d", "2030-13-01"])
def test_an_end_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="90d"):
        moment_of(text, NOW)


def test_a_collection_is_served_under_its_own_name_or_a_chosen_one(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    given = [str(tmp_path / "shop.lookalike"), f"old={tmp_path / 'shop.lookalike'}"]
    assert named(given) == {"shop": str(tmp_path / "shop.lookalike"), "old": str(tmp_path / "shop.lookalike")}


def test_a_url_stays_one_and_gives_the_name() -> None:
    assert named(["s3://bucket/shop.lance", "b=s3://bucket/old.lance", "x.lance"]) == {
        "shop": "s3://bucket/shop.lance",
        "b": "s3://bucket/old.lance",
        "x": "x.lance",
    }


@pytest.mark.parametrize(
    "given", [["a.lookalike", "b/a.lookalike"], ["my shop.lookalike"], ["ä"], ["a=1", "a=2"]]
)
def test_names_that_cannot_be_are_refused_with_the_remedy(given: list[str]) -> None:
    with pytest.raises(UsageError, match="NAME="):
        named(given)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "lookalike keys create NAME"),
        (["--queue", "0"], "queue 0 is too small"),
        (["--port", "70000"], "port 70000"),
        (["--allow-origin", "shop.example"], "such as https://shop.example"),
        (["--time-limit", "0"], "time_limit"),
    ],
)
def test_what_cannot_be_served_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], said: str
) -> None:
    code, out, err = run(capsys, "serve", str(tmp_path / "shop.lookalike"), *options)
    assert code == USAGE
    assert said in err
    assert out == ""


def test_a_collection_that_is_not_there_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOOKALIKE_KEYS")
    code, out, err = run(capsys, "serve", str(tmp_path / "shop.lookalike"), "--port", "0", "--json")
    assert code == ERROR
    assert "--create" in err
    assert json.loads(out)["error"]["type"] == "CollectionNotFound"


def test_keys_are_handled_without_loading_what_serves() -> None:
    script = "import sys, lookalike.cli.serving\nprint(' '.join({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {
        "fastapi",
        "uvicorn",
        "pydantic",
        "starlette",
        "prometheus_client",
        "opentelemetry",
        "openvino",
        "numpy",
    }
    assert not heavy & set(done.stdout.split())


def test_help_loads_nothing_that_serves() -> None:
    script = (
        "import sys\nfrom lookalike.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(' '.join({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {
        "fastapi",
        "uvicorn",
        "pydantic",
        "starlette",
        "prometheus_client",
        "httpx2",
        "nanoarrow",
    }


def test_options_reach_the_service(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[ServiceSettings] = []
    monkeypatch.setattr(
        "lookalike.service.server.serve", lambda _paths, settings, **_: given.append(settings)
    )
    place = str(tmp_path / "shop.lookalike")
    assert run(capsys, "serve", place)[0] == 0
    assert run(capsys, "serve", place, "--allow-private-urls", "--max-upload", "64")[0] == 0
    assert [each.allow_private_urls for each in given] == [False, True]
    assert [each.max_upload_bytes for each in given] == [64 * 2**20] * 2
