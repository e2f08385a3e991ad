"""The file of API keys."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lookalike.errors import InputError, StoreError
from lookalike.service.keys import KeyFile, default_path

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> KeyFile:
    return KeyFile(tmp_path / "private" / "keys.json", clock)


def test_a_token_opens_what_it_was_made_for(keys: KeyFile) -> None:
    token, key = keys.create("shop", scope="write", collections=["a", "b"])
    found = keys.check(token)
    assert found is not None
    assert (found.id, found.name, found.scope, found.collections) == (key.id, "shop", "write", ("a", "b"))


def test_the_secret_has_256_bits_and_is_not_in_the_file(keys: KeyFile) -> None:
    tokens = {keys.create(f"key {n}")[0] for n in range(5)}
    secrets = {token.rpartition("_")[2] if token.count("_") == 2 else token[16:] for token in tokens}
    assert len(secrets) == 5
    assert all(len(token) == len("lk_") + 12 + 1 + 43 for token in tokens)
    text = keys.path.read_text()
    assert not any(secret in text for secret in secrets)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_nobody_but_its_owner_can_read_the_file(keys: KeyFile) -> None:
    keys.create("first")
    keys.path.chmod(0o644)
    keys.create("second")
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "token", ["", "lk_", "lk_0123456789ab_x", "Bearer", "lk_é_" + "a" * 43, "a" * 10_000]
)
def test_a_text_that_is_no_token_opens_nothing(keys: KeyFile, token: str) -> None:
    keys.create("first")
    assert keys.check(token) is None


def test_a_wrong_secret_for_a_right_id_opens_nothing(keys: KeyFile) -> None:
    token, _ = keys.create("first")
    other, _ = keys.create("second")
    assert keys.check(token[:16] + other[16:]) is None
    assert keys.check("lk_000000000000_" + token[16:]) is None


def test_an_unknown_id_is_compared_as_a_known_one_is(keys: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(a: str, b: str) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr("lookalike.service.keys.hmac.compare_digest", compare)
    token, _ = keys.create("first")
    keys.check("lk_000000000000_" + token[16:])
    keys.check(token)
    assert [(len(a), len(b)) for a, b in compared] == [(64, 64), (64, 64)]


def test_the_empty_secret_is_no_key_of_nobody(keys: KeyFile) -> None:
    assert keys.check("lk_000000000000_") is None


def test_an_expired_key_opens_nothing(keys: KeyFile, clock: Clock) -> None:
    token, _ = keys.create("short", expires=NOW + timedelta(hours=1))
    assert keys.check(token) is not None
    clock.now += timedelta(hours=1)
    assert keys.check(token) is None


def test_revoking_counts_at_once_for_whoever_has_the_file_open(keys: KeyFile) -> None:
    token, key = keys.create("first")
    elsewhere = KeyFile(keys.path, keys._now)
    assert elsewhere.check(token) is not None
    assert keys.revoke("first") == key
    assert elsewhere.check(token) is None


def test_a_key_is_revoked_by_its_id_too_and_an_unknown_one_is_said(keys: KeyFile) -> None:
    token, key = keys.create("first")
    keys.revoke(key.id)
    assert keys.check(token) is None
    with pytest.raises(InputError, match="no key 'first': there is none"):
        keys.revoke("first")


def test_no_key_opens_anything_when_the_file_is_gone(keys: KeyFile) -> None:
    token, _ = keys.create("first")
    keys.path.unlink()
    assert keys.check(token) is None
    assert keys.all() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99, "keys": []}', '{"format": 1, "keys": [{}]}'])
def test_a_damaged_file_is_said_and_opens_nothing(keys: KeyFile, text: str) -> None:
    token, _ = keys.create("first")
    keys.path.write_text(text)
    with pytest.raises(StoreError, match="cannot be read as a file of API keys"):
        keys.check(token)
    with pytest.raises(StoreError):
        keys.create("second")
    assert keys.path.read_text() == text


def test_an_unknown_scope_in_the_file_opens_nothing(keys: KeyFile) -> None:
    token, _ = keys.create("first")
    document = json.loads(keys.path.read_text())
    document["keys"][0]["scope"] = "root"
    keys.path.write_text(json.dumps(document))
    with pytest.raises(StoreError, match="root"):
        keys.check(token)


def test_last_use_is_kept_by_the_hour(keys: KeyFile, clock: Clock) -> None:
    _, key = keys.create("first")
    clock.now += timedelta(days=1)
    assert keys.wants_note(key)
    keys.note_use(key)
    (noted,) = keys.all()
    assert noted.last_used == clock.now.replace(minute=0, second=0)
    assert not keys.wants_note(noted)
    clock.now += timedelta(hours=2)
    assert keys.wants_note(noted)


def test_noting_a_use_does_not_bring_a_revoked_key_back(keys: KeyFile) -> None:
    _, key = keys.create("first")
    keys.revoke("first")
    keys.note_use(key)
    assert keys.all() == []


def test_processes_that_make_keys_at_the_same_time_lose_none(keys: KeyFile) -> None:
    script = (
        "import sys; from pathlib import Path; from lookalike.service.keys import KeyFile\n"
        "file = KeyFile(Path(sys.argv[1]))\n"
        "for n in range(10): file.create(f'{sys.argv[2]} {n}')"
    )
    command = [sys.executable, "-c", script, str(keys.path)]
    makers = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [maker.wait(60) for maker in makers] == [0, 0, 0]
    assert len({key.id for key in keys.all()}) == 30


def test_what_is_read_is_what_was_written(keys: KeyFile) -> None:
    _, key = keys.create("ünï", scope="admin", expires=NOW + timedelta(days=3), requests_per_minute=7)
    assert KeyFile(keys.path).all() == [replace(key, created=NOW.replace(microsecond=0))]
    assert "hash" not in key.to_dict()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("", {}, "no name"),
        ("a\nb", {}, "no name"),
        ("taken", {}, "already"),
        ("x", {"scope": "root"}, "read, write, admin"),
        ("x", {"expires": NOW}, "to come"),
        ("x", {"requests_per_minute": 0}, "at least 1"),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    keys: KeyFile, name: str, options: dict[str, object], said: str
) -> None:
    keys.create("taken")
    with pytest.raises(InputError, match=said):
        keys.create(name, **options)  # type: ignore[arg-type]
    assert len(keys.all()) == 1


def test_keys_are_kept_in_the_users_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path() == tmp_path / "lookalike" / "keys.json"
