"""Interactions of a collection: recorded, imported with a ledger, weighed, exported, forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lookalike.collection.interacting import Interacting
from lookalike.errors import InputError, StoreError
from lookalike.store.interactions import RECOMMENDER, microseconds
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Interaction
from store_records import FINGERPRINT, record, space

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HEADER = "user,item,event,time\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """Four pictures of three products."""
    with SqliteStore.create(tmp_path / "shop.lookalike", space()) as opened:
        products = {"sofa_0.jpg": 7, "sofa_1.jpg": 7, "lamp.jpg": 8}
        opened.put([record(id, {"product": number}) for id, number in products.items()], FINGERPRINT)
        opened.put([record("bare.jpg", {"tags": ["red"]})], FINGERPRINT)
        yield opened


@pytest.fixture
def shop(store: SqliteStore) -> Interacting:
    return Interacting(store, Path(store.uri))


def table(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


# one at a time


def test_an_interaction_is_recorded_once(shop: Interacting) -> None:
    assert shop.record("ada", "7", "view", time=NOON)
    assert not shop.record("ada", "7", "view", time=NOON, weight=2.0)
    assert shop.record("ada", "7", "like", time=NOON, weight=0.5)
    assert shop.interactions("ada") == [
        Interaction("ada", "7", "view", NOON),
        Interaction("ada", "7", "like", NOON, 0.5),
    ]


def test_without_a_time_it_is_now(shop: Interacting) -> None:
    before = datetime.now(UTC)
    shop.record("ada", "sofa_0.jpg", "view")
    assert before <= shop.interactions("ada")[0].time <= datetime.now(UTC)


def test_an_unknown_event_is_refused_until_it_has_a_weight(shop: Interacting) -> None:
    with pytest.raises(
        InputError, match=r"event 'share': expected one of view 1, .*weights COLLECTION share=1"
    ):
        shop.record("ada", "7", "share")
    shop.set_event_weights({"share": 2})
    assert shop.record("ada", "7", "share")
    assert shop.event_weights["share"] == 2.0
    with pytest.raises(InputError, match="cannot be taken back"):
        shop.set_event_weights({"share": None})


def test_a_time_without_a_zone_is_refused(shop: Interacting) -> None:
    with pytest.raises(InputError, match="with its time zone"):
        shop.record("ada", "7", "view", time=datetime(2026, 1, 1))


# many


def test_the_ledger_accounts_for_every_row_and_a_repeat_adds_nothing(
    shop: Interacting, tmp_path: Path
) -> None:
    path = table(
        tmp_path,
        "bob,7,view,2026-03-10T12:00:00Z",
        "ada,lamp.jpg,like,1773144000",
        "ada,lamp.jpg,like,2026-03-10 12:00",
        ",7,view,1773144000",
        "ada,later.jpg,view,1773144001",
        "ada,8,view,yesterday",
    )
    ledger = shop.add_interactions(path)
    assert (ledger.inputs, ledger.added, ledger.known, ledger.failed) == (6, 3, 1, 2)
    assert [(failure.uri, failure.reason[:16]) for failure in ledger.failures] == [
        (f"{path}, line 5", "there is no user"),
        (f"{path}, line 7", "the time is 'yes"),
    ]
    assert ledger.unmatched_items == 2, "7 and later.jpg"
    again = shop.add_interactions(path, group_by="product")
    assert (again.inputs, again.added, again.known, again.failed) == (6, 0, 4, 2)
    assert again.unmatched_items == 1, "later.jpg"
    assert shop.interaction_counts().interactions == 3


def test_interactions_may_be_values(shop: Interacting) -> None:
    events = [Interaction(f"u{i % 3}", "7", "view", NOON + timedelta(seconds=i)) for i in range(20)]
    seen: list[tuple[int, int]] = []
    ledger = shop.add_interactions(iter(events), progress=lambda done, total: seen.append((done, total)))
    assert (ledger.inputs, ledger.added, ledger.unmatched_items) == (20, 20, 1)
    assert seen == [(20, 20)]
    assert shop.interactions("u1") == events[1::3]
    with pytest.raises(InputError, match="columns and event describe a file"):
        shop.add_interactions(events, event="view")


@pytest.mark.parametrize(
    ("lines", "header", "options", "match"),
    [
        (
            ["a,7,view,1773144000", "b,7,share,1773144000"],
            HEADER,
            {},
            "no weight is known of the event 'share'",
        ),
        (["a,7,view,1773144000"], "user,item,event,when\n", {}, "no column 'time'"),
        (["a,7,view,1773144000", '"a"x,7,view,1773144000'], HEADER, {}, "cannot be read as CSV"),
        (["a,7,view,1773144000"], HEADER, {"group_by": "colour"}, "no attribute 'colour'.*product"),
        (["a,7,view,1773144000"], HEADER, {"group_by": "tags"}, "several values an item"),
    ],
    ids=["event", "column", "csv", "attribute", "tags"],
)
def test_what_is_wrong_with_a_file_is_said_before_anything_is_kept(
    shop: Interacting, tmp_path: Path, lines: list[str], header: str, options: dict[str, str], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        shop.add_interactions(table(tmp_path, *lines, header=header), **options)  # type: ignore[arg-type]
    assert shop.interaction_counts().version == 0


def test_an_import_in_pieces_is_the_whole_import(
    shop: Interacting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lookalike.ingest.interaction_table.BATCH", 7)
    lines = [f"u{i % 5},{i % 9},view,{1_773_144_000 + i}" for i in range(100)]
    path = table(tmp_path, *reversed(lines))

    def stop(done: int, _total: int) -> None:
        if done > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.add_interactions(path, progress=stop)
    assert shop.interaction_counts().interactions == 35, "what was stored stays"
    ledger = shop.add_interactions(path)
    assert (ledger.added, ledger.known) == (65, 35)
    assert [len(shop.interactions(f"u{i}")) for i in range(5)] == [20] * 5


# export


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_export_is_read_again(shop: Interacting, tmp_path: Path, ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs the extra arrow")
    shop.set_event_weights({"a,b": 1})
    events = [
        Interaction("ada", 'a "sofa",\n7', "a,b", NOON + timedelta(microseconds=1), 0.1),
        Interaction("ada", "7", "view", NOON, 1 / 3),
        Interaction("bob", "Ünïcode 漢字", "hide", NOON, 1e-9),
    ]
    shop.add_interactions(events)
    path = tmp_path / f"out.{ending}"
    done = shop.export_interactions(path)
    assert (done.interactions, done.file) == (3, str(path))
    with SqliteStore.create(tmp_path / "other", space()) as store:
        other = Interacting(store, tmp_path / "other")
        other.set_event_weights({"a,b": 1})
        assert other.add_interactions(path).added == 3
        assert [*other.interactions("ada"), *other.interactions("bob")] == [events[1], events[0], events[2]]
    assert shop.add_interactions(path).known == 3
    assert shop.export_interactions(path, user="bob").interactions == 1
    assert shop.add_interactions(path).inputs == 1
    assert shop.export_interactions(path, user="nobody").interactions == 0
    assert shop.add_interactions(path).inputs == 0
    assert sorted(each.name for each in tmp_path.glob("out*")) == [path.name]


def test_an_export_that_fails_changes_no_file(shop: Interacting, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"expected a name that ends in \.csv or \.parquet"):
        shop.export_interactions(tmp_path / "out.json")
    with pytest.raises(InputError, match="does not exist"):
        shop.export_interactions(tmp_path / "missing" / "out.csv")
    with pytest.raises(InputError, match="the name of a user"):
        shop.export_interactions(path, user="")
    shop._store.close()
    with pytest.raises(StoreError, match="closed"):
        shop.export_interactions(path)
    assert path.read_text() == "mine"
    assert not list(tmp_path.glob("*.tmp"))


# forgetting


def test_forgetting_drops_what_was_learned_from_everyone(shop: Interacting, store: SqliteStore) -> None:
    shop.record("ada", "7", "view")
    shop.record("bob", "7", "view")
    for kind, name in ((RECOMMENDER, "default"), (RECOMMENDER, "other"), ("map", "default")):
        store.put_fitted(kind, name, b"x", fingerprint=FINGERPRINT, provenance={})
    assert shop.forget_user("nobody") == 0
    assert len(store.fitted(RECOMMENDER)) == 2
    assert shop.forget_user("ada") == 1
    assert [each.kind for each in store.fitted()] == ["map"]
    assert shop.interactions("ada") == []
    assert len(shop.interactions("bob")) == 1


def test_a_forgotten_user_leaves_no_byte_in_the_folder_after_compacting(
    shop: Interacting, store: SqliteStore, tmp_path: Path
) -> None:
    marker = "zqxjkvbwmarker"
    when = datetime(2031, 3, 7, 11, 13, 17, 191_919, tzinfo=UTC)
    lines = [f"u{i % 40},{i % 9},view,{1_773_144_000 + i}" for i in range(3000)]
    lines.insert(1500, f"{marker}-user,{marker}-item,purchase,{when.isoformat()}")
    shop.add_interactions(table(tmp_path, *lines))
    shop.record(f"{marker}-user", "7", "view", time=when)
    needles = marker.encode(), microseconds(when).to_bytes(8, "big")

    def held() -> list[bool]:
        data = b"".join(path.read_bytes() for path in Path(store.uri).rglob("*") if path.is_file())
        return [needle in data for needle in needles]

    assert held() == [True, True]
    assert shop.forget_user(f"{marker}-user") == 2
    store.compact()
    assert held() == [False, False]
    assert shop.interaction_counts().interactions == 3000


_IMPORT = """
import resource, sys
from pathlib import Path
from lookalike.collection.interacting import Interacting
from lookalike.store.sqlite import SqliteStore

with SqliteStore.open(Path(sys.argv[1])) as store:
    shop = Interacting(store, Path(sys.argv[1]))
    shop.add_interactions(Path(sys.argv[2]))
    def most():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    before = most()
    ledger = shop.add_interactions(Path(sys.argv[3]))
    read = sum(len(columns) for columns in store.stream_interactions())
    print(ledger.added, read, most() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss differs between systems")
def test_memory_does_not_grow_with_the_source(store: SqliteStore, tmp_path: Path) -> None:
    count = 300_000
    paths = []
    for name, number in (("small", 60_000), ("large", count)):
        paths.append(tmp_path / f"{name}.csv")
        with paths[-1].open("w") as file:
            file.write(HEADER)
            file.writelines(
                f"{name}{i * 7919 % 5003},item{i % 997},view,{1_773_144_000 + i}\n" for i in range(number)
            )
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, store.uri, *map(str, paths)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    added, read, mib = map(int, done.stdout.split())
    assert (added, read) == (count, count + 60_000)
    assert mib < 60, "five times the rows took as much more memory"
