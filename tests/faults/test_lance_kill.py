"""kill -9 at random moments while a collection in Lance is written, and writers on several machines at once.

What was acknowledged is there, on a machine that was never there before; what was not is there whole or not at all.
LOOKALIKE_STORE_KILL_ROUNDS=100 sets the number of kills (default 5, a third of them on S3).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from lookalike.errors import CollectionExists, CollectionNotFound
from lookalike.store.lance_creation import Left, finish_deletion, left_at
from lookalike.store.object_places import ABANDONED_SECONDS, place_of
from s3_server import s3_uri
from store_records import FINGERPRINT, record, space

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

from lookalike.store.lance_store import LanceStore

ROUNDS = int(os.environ.get("LOOKALIKE_STORE_KILL_ROUNDS", "5"))
SEED = 20260101
BATCH = 8
HOT = 5
"""Ids that every batch replaces one of."""

State = dict[str, int]

WRITER = """
import sys
from pathlib import Path
from store_records import FINGERPRINT, record
from lookalike.store.lance_store import LanceStore

def tell(*words):
    print(*words, flush=True)

with LanceStore.open(sys.argv[1], cache=Path(sys.argv[2])) as store:
    number = int(sys.argv[3])
    while True:
        if number % 7 == 0:
            tell("try", "compact", number)
            store.compact()
        elif number % 4 == 0:
            tell("try", "remove", number)
            store.remove([f"{number - 1}/{i}" for i in range(BATCH)])
        elif number % 5 == 0:
            tell("try", "set", number)
            store.set_attributes({id: {"n": number} for id in store.known([f"hot/{i}" for i in range(HOT)])})
        else:
            tell("try", "put", number)
            ids = [f"{number}/{i}" for i in range(BATCH)] + [f"hot/{number % HOT}"]
            store.put([record(id, {"n": number}, seed=number, thumbnail=bytes(3000)) for id in ids], FINGERPRINT)
        tell("done", number)
        number += 1
"""


def after(state: State, operation: str, number: int) -> State:
    """What a collection holds, id -> n, after one more operation of the writer."""
    if operation == "put":
        return {**state, **{f"{number}/{i}": number for i in range(BATCH)}, f"hot/{number % HOT}": number}
    if operation == "remove":
        return {id_: n for id_, n in state.items() if not id_.startswith(f"{number - 1}/")}
    if operation == "set":
        return {id_: number if id_.startswith("hot/") else n for id_, n in state.items()}
    return state


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", f"BATCH, HOT = {BATCH}, {HOT}\n{script}", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def stored(place: str, cache: Path) -> State:
    """What a collection holds on a machine; it must be clean and its ids unique."""
    with LanceStore.open(place, cache=cache, freshness=0) as store:
        assert list(store.verify()) == []
        items = [item for batch in store.stream() for item in batch]
        assert len({item.id for item in items}) == len(items) == store.count()
        rows = [item.row for item in items]
        assert len(store.vectors(rows)) == len(store.thumbnails(rows)) == len(items)
        return {item.id: int(str(item.attributes["n"])) for item in items}


def write_and_kill(place: str, cache: Path, first: int, seconds: float) -> list[list[str]]:
    """Let the writer work for a while after its first acknowledgement, then kill it; what it said."""
    writer = start(WRITER, place, str(cache), str(first))
    assert writer.stdout is not None
    said = [writer.stdout.readline().split(), writer.stdout.readline().split()]
    killer = threading.Timer(seconds, writer.kill)
    killer.start()
    said += [line.split() for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    killer.join()
    writer.stdout.close()
    assert writer.returncode == -9, "the writer died of something else"
    return said


@pytest.mark.parametrize("where", ["local", "s3"])
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(tmp_path: Path, where: str) -> None:
    place = str(tmp_path / "shop.lance") if where == "local" else s3_uri(tmp_path)
    LanceStore.create(place, space(), cache=tmp_path / "maker").close()
    chance = random.Random(SEED)
    state: State = {}
    number, interrupted = 1, 0
    for turn in range(ROUNDS if where == "local" else max(2, ROUNDS // 3)):
        said = write_and_kill(place, tmp_path / f"writer {turn % 2}", number, chance.uniform(0.05, 0.5))
        pending: list[str] = []
        for words in said:
            if words[0] == "try":
                pending = words
            else:
                state = after(state, pending[1], int(pending[2]))
                number, pending = int(words[1]) + 1, []
        found = stored(place, tmp_path / f"new machine {turn}")
        if pending:
            interrupted += 1
            finished = after(state, pending[1], int(pending[2]))
            assert found in (state, finished), f"{pending} is half done"
            if found == finished:
                state, number = finished, int(pending[2]) + 1
        assert found == state
        assert stored(place, tmp_path / f"writer {turn % 2}") == state, "the killed one's replica catches up"
    assert state
    assert interrupted, "no kill met a write"


BETWEEN = """
import os, sys
from pathlib import Path
from store_records import FINGERPRINT, record
from lookalike.store import object_log
from lookalike.store.lance_store import LanceStore

append = object_log.ObjectLog.append

def append_and_die(log, *arguments):
    append(log, *arguments)
    os._exit(9)

with LanceStore.open(sys.argv[1], cache=Path(sys.argv[2])) as store:
    object_log.ObjectLog.append = append_and_die
    store.put([record("last", {"n": 7})], FINGERPRINT)
"""


def test_a_writer_that_dies_between_its_entry_and_its_replica_has_written(tmp_path: Path) -> None:
    place = str(tmp_path / "shop.lance")
    LanceStore.create(place, space(), cache=tmp_path / "a").close()
    writer = start(BETWEEN, place, str(tmp_path / "a"))
    writer.communicate()
    assert writer.returncode == 9
    assert stored(place, tmp_path / "a") == stored(place, tmp_path / "b") == {"last": 7}


SHARED = """
import sys
from pathlib import Path
from store_records import FINGERPRINT, record
from lookalike.store.lance_store import LanceStore

name = sys.argv[3]
with LanceStore.open(sys.argv[1], cache=Path(sys.argv[2]), freshness=0) as store:
    for number in range(int(sys.argv[4])):
        own = [f"{name}/{number}/{i}" for i in range(2)]
        both = [f"both/{number}/{i}" for i in range(2)]
        store.put([record(id, {"n": number}) for id in own + both], FINGERPRINT)
        if number % 20 == 5 and name == "one":
            store.compact()
print("done", flush=True)
"""


@pytest.mark.parametrize(("where", "puts"), [("local", 100), ("s3", 10)])
def test_two_machines_that_write_the_same_collection_lose_and_double_nothing(
    tmp_path: Path, where: str, puts: int
) -> None:
    place = str(tmp_path / "shop.lance") if where == "local" else s3_uri(tmp_path)
    LanceStore.create(place, space(), cache=tmp_path / "maker").close()
    writers = [start(SHARED, place, str(tmp_path / name), name, f"{puts}") for name in ("one", "two")]
    assert [writer.communicate()[0] for writer in writers] == ["done\n", "done\n"]
    found = [stored(place, tmp_path / name) for name in ("one", "two", "new")]
    assert found[0] == found[1] == found[2]
    assert Counter(id_.split("/")[0] for id_ in found[0]) == dict.fromkeys(("one", "two", "both"), puts * 2)


def test_what_a_killed_writer_left_half_written_goes_with_a_compaction(tmp_path: Path) -> None:
    root = tmp_path / "shop.lance"
    with LanceStore.create(root, space(), cache=tmp_path / "a") as store:
        store.put([record("a", {"n": 1})], FINGERPRINT)
        left = [root / "log" / ".0123.new", store.folder / "checkpoint-1-2.db"]
        young = root / "log" / ".4567.new"
        for path in (*left, young):
            path.write_bytes(b"secret")
        for path in left:
            os.utime(path, (0, path.stat().st_mtime - ABANDONED_SECONDS - 60))
        orphan = root / "data" / "items-0123456789abcdef.lance" / "data"
        orphan.mkdir(parents=True)
        (orphan / "x.lance").write_bytes(b"secret")
        store.compact()
        assert [path.exists() for path in (*left, orphan)] == [False, False, False]
        assert young.exists(), "a writer may be at it"
        assert list(store.verify()) == []


DIES_CREATING = """
import os, sys
from pathlib import Path
from store_records import space
from lookalike.store import lance_bulk, s3_place
from lookalike.store.lance_store import LanceStore

where = {"probe": s3_place.S3Place, "dataset": lance_bulk.Bulk}[sys.argv[3]]
real = where.create

def create_and_die(*arguments):
    real(*arguments)
    os._exit(9)

where.create = create_and_die
LanceStore.create(sys.argv[1], space(), cache=Path(sys.argv[2]))
"""


@pytest.mark.parametrize("moment", ["probe", "dataset"])
def test_a_creation_that_is_killed_on_s3_keeps_nobody_from_the_place(tmp_path: Path, moment: str) -> None:
    place = s3_uri(tmp_path)
    creator = start(DIES_CREATING, place, str(tmp_path / "killed"), moment)
    creator.communicate()
    assert creator.returncode == 9
    left = place_of(place).sizes("")
    assert left
    with pytest.raises(CollectionNotFound, match="create one with lookalike index"):
        LanceStore.open(place, cache=tmp_path / "a")
    with LanceStore.create(place, space(), cache=tmp_path / "a") as store:
        store.put([record("a", {"n": 1})], FINGERPRINT)
        assert left.keys() <= place_of(place).sizes("").keys(), "who made it might still be at it"
        store.compact()
        assert stored(place, tmp_path / "b") == {"a": 1}
        assert not {name for name in left if name.startswith("data/")} & place_of(place).sizes("").keys()
    with pytest.raises(CollectionExists, match="open it"):
        LanceStore.create(place, space(), cache=tmp_path / "b")


def test_of_many_that_take_such_a_place_over_one_succeeds(tmp_path: Path) -> None:
    place = s3_uri(tmp_path)
    creator = start(DIES_CREATING, place, str(tmp_path / "killed"), "dataset")
    creator.communicate()
    barrier = threading.Barrier(4)
    made: list[str] = []

    def create(name: str) -> None:
        barrier.wait()
        with suppress(CollectionExists), LanceStore.create(place, space(), cache=tmp_path / name) as store:
            store.put([record(name, {"n": 1})], FINGERPRINT)
            made.append(name)

    threads = [threading.Thread(target=create, args=(f"{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert stored(place, tmp_path / "new") == {made[0]: 1}


DIES_DELETING = """
import os, sys
from pathlib import Path
from lookalike.store.lance_store import LanceStore
from lookalike.store.s3_place import S3Place

delete, steps = S3Place.delete, int(sys.argv[3])

def some(place, names):
    delete(place, list(names)[:steps])
    os._exit(9)

with LanceStore.open(sys.argv[1], cache=Path(sys.argv[2])) as store:
    S3Place.delete = some
    store.delete_if_empty()
"""


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("used", [False, True])
def test_a_deletion_that_is_killed_on_s3_leaves_a_collection_or_what_can_be_deleted(
    tmp_path: Path, used: bool, steps: int
) -> None:
    place = s3_uri(tmp_path)
    with LanceStore.create(place, space(), cache=tmp_path / "a") as store:
        if used:
            store.put([record("a")], FINGERPRINT)
            store.put_fitted("map", "m", bytes(40_000), fingerprint=FINGERPRINT, provenance={})
            store.remove(["a"])
            store.compact()
    deleter = start(DIES_DELETING, place, str(tmp_path / "killed"), f"{steps}")
    deleter.communicate()
    assert deleter.returncode == 9
    if not steps:
        assert stored(place, tmp_path / "b") == {}
        return
    with pytest.raises(CollectionNotFound, match=r"deletion was interrupted.*aws s3 rm --recursive"):
        LanceStore.open(place, cache=tmp_path / "b")
    with pytest.raises(CollectionExists, match=r"deletion was interrupted.*--restart"):
        LanceStore.create(place, space(), cache=tmp_path / "b")
    assert finish_deletion(place_of(place))
    assert place_of(place).sizes("") == {}
    assert not finish_deletion(place_of(place))
    LanceStore.create(place, space(), cache=tmp_path / "b").close()
    assert not finish_deletion(place_of(place)), "a collection"
    assert stored(place, tmp_path / "c") == {}


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "log/notes.txt", "data/items.csv", "data/items-0123456789abcdef.lance", "payloads/x"],
)
def test_what_is_not_ours_is_neither_taken_over_nor_deleted(tmp_path: Path, name: str) -> None:
    place = place_of(s3_uri(tmp_path))
    place.replace("log/0000000007.json", b"of a collection that was being deleted")
    assert left_at(place) is Left.DELETING
    place.replace(name, b"mine")
    assert not finish_deletion(place)
    with pytest.raises(CollectionExists, match="already something"):
        LanceStore.create(place.root, space(), cache=tmp_path / "a")
    assert place.read(name) == b"mine"


def test_a_deletion_that_is_killed_in_a_folder_leaves_nothing_at_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "shop.lance"
    with LanceStore.create(root, space(), cache=tmp_path / "a") as store:
        with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
            killed.setattr("shutil.rmtree", raises)
            store.delete_if_empty()
        assert not root.exists()
    LanceStore.create(root, space(), cache=tmp_path / "a").close()


def raises(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
