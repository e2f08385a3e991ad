"""What entries restated is known from when they passed, and read where they did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.store.logged_values import to_log
from lookalike.store.milvus_log import KNOWN_IDS, RestatementLog
from lookalike.store.object_log import INLINE_BYTES, Erased
from lookalike.store.object_places import LocalPlace


def _append(log: RestatementLog, number: int, previous: str, operation: str, *arguments: object) -> str:
    document, data = to_log((arguments, {}))
    return log.append(number, previous, operation, {"call": document}, data).digest


@pytest.fixture
def log(tmp_path: Path) -> RestatementLog:
    """Attributes of two items set, a visit, one item touched, and many items changed at once."""
    made = RestatementLog(LocalPlace(str(tmp_path)))
    digest = made.append(1, "", "create", {}).digest
    digest = _append(made, 2, digest, "set_attributes", {"a": {"price": 1}, "b": {"price": 2}})
    digest = _append(made, 3, digest, "forget_user", "u")
    digest = _append(made, 4, digest, "touch", {"c": ("/c", "1:2")})
    _append(made, 5, digest, "set_attributes", {f"i{n}": {"price": n} for n in range(KNOWN_IDS + 1)})
    return made


def test_what_was_appended_is_known_without_reading_it_again(log: RestatementLog, tmp_path: Path) -> None:
    for number in (2, 3, 4):
        (tmp_path / "log" / f"{number:010}.json").unlink()
    assert [set(log.restated(number)) for number in (1, 2, 3, 4)] == [set(), {"a", "b"}, set(), {"c"}]
    assert len(log.restated(5)) == KNOWN_IDS + 1


@pytest.mark.usefixtures("log")
def test_what_was_read_is_known_and_the_rest_is_read(tmp_path: Path) -> None:
    another = RestatementLog(LocalPlace(str(tmp_path)))
    assert another.read(4, None) is not None
    (tmp_path / "log" / "0000000004.json").unlink()
    assert [set(another.restated(number)) for number in (2, 4)] == [{"a", "b"}, {"c"}]
    assert another.read(4, None) is None, "what an entry said is never answered from memory"


def test_only_the_data_of_entries_that_change_fields_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = RestatementLog(LocalPlace(str(tmp_path)))
    long = bytes(2 * INLINE_BYTES)
    digest = _append(made, 1, "", "put_fitted", "kind", "name", long)
    digest = _append(made, 2, digest, "put_interactions", long)
    _append(made, 3, digest, "touch", {"a": ("/a", long)})
    read: list[str] = []

    def noted(place: LocalPlace, name: str) -> bytes | None:
        read.append(name.partition("/")[0])
        return _read(place, name)

    _read = LocalPlace.read
    monkeypatch.setattr(LocalPlace, "read", noted)
    another = RestatementLog(LocalPlace(str(tmp_path)))
    assert [another.restated(number) for number in (1, 2, 3)] == [(), (), ("a",)]
    assert read == ["log", "log", "log", "payloads"]
    read.clear()
    assert [another.restated(number) for number in (1, 2, 3)] == [(), (), ("a",)]
    assert not read, "they are known now"
    entry = another.read(2, None)
    assert entry is not None and entry.data == long


def test_an_erased_entry_that_never_passed_is_said_to_be_erased(log: RestatementLog, tmp_path: Path) -> None:
    log.erase(4)
    another = RestatementLog(LocalPlace(str(tmp_path)))
    with pytest.raises(Erased):
        another.restated(2)
    assert len(another.restated(5)) == KNOWN_IDS + 1
    assert another.restated(6) == ()
