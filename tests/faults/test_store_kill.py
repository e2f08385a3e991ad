"""kill -9 at random moments while a store is written, and several writers at once.

What was acknowledged is there, what was not is there whole or not at all.
LOOKALIKE_STORE_KILL_ROUNDS=100 sets the number of kills (default 15).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from lookalike.store.sqlite import SqliteStore
from store_records import space

ROUNDS = int(os.environ.get("LOOKALIKE_STORE_KILL_ROUNDS", "15"))
SEED = 20260101
BATCH = 20
HOT = 5
"""Ids that every batch replaces one of."""

WRITER = """
import sys
from pathlib import Path
from store_records import FINGERPRINT, record
from lookalike.store.sqlite import SqliteStore

def tell(*words):
    print(*words, flush=True)

with SqliteStore.open(Path(sys.argv[1])) as store:
    number = int(sys.argv[2])
    while True:
        if number % 11 == 0:
            tell("try", "compact", number)
            store.compact()
        elif number % 4 == 0:
            tell("try", "remove", number)
            store.remove([f"{number - 1}/{i}" for i in range(BATCH)])
        else:
            tell("try", "put", number)
            ids = [f"{number}/{i}" for i in range(BATCH)] + [f"hot/{number % HOT}"]
            store.put(
                [record(id, {"n": number}, labels=("x",), seed=number, thumbnail=bytes(5000)) for id in ids],
                FINGERPRINT,
            )
        tell("done", number)
        number += 1
"""

State = dict[str, int]


def after(state: State, operation: str, number: int) -> State:
    """What a collection holds, id -> n, after one more operation of the writer."""
    if operation == "put":
        return {**state, **{f"{number}/{i}": number for i in range(BATCH)}, f"hot/{number % HOT}": number}
    if operation == "remove":
        return {id_: n for id_, n in state.items() if not id_.startswith(f"{number - 1}/")}
    return state


def environment() -> dict[str, str]:
    """Children find the modules of the tests where this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    script = f"BATCH, HOT = {BATCH}, {HOT}\n{script}"
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, env=environment()
    )


def stored(folder: Path) -> State:
    """What a collection holds; it must be clean and its ids unique."""
    with SqliteStore.open(folder) as store:
        assert list(store.verify()) == []
        items = [item for batch in store.stream() for item in batch]
        assert len({item.id for item in items}) == len(items) == store.count()
        assert len(store.vectors([item.row for item in items])) == len(items)
        return {item.id: int(str(item.attributes["n"])) for item in items}


def write_and_kill(folder: Path, first: int, seconds: float) -> list[list[str]]:
    """Let the writer work for a while after its first acknowledgement, then kill it; what it said."""
    writer = start(WRITER, str(folder), str(first))
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


def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(tmp_path: Path) -> None:
    folder = tmp_path / "shop.lookalike"
    SqliteStore.create(folder, space()).close()
    chance = random.Random(SEED)
    state: State = {}
    number, interrupted = 1, 0
    for _ in range(ROUNDS):
        said = write_and_kill(folder, number, chance.uniform(0, 0.25))
        pending: list[str] = []
        for words in said:
            if words[0] == "try":
                pending = words
            else:
                state = after(state, pending[1], int(pending[2]))
                number, pending = int(words[1]) + 1, []
        found = stored(folder)
        if pending:
            interrupted += 1
            finished = after(state, pending[1], int(pending[2]))
            assert found in (state, finished), f"{pending} is half done"
            if found == finished:
                state, number = finished, int(pending[2]) + 1
        assert found == state
    assert state
    assert interrupted, "no kill met a write"


SHARED = """
import sys
from pathlib import Path
from store_records import FINGERPRINT, record
from lookalike.store.sqlite import SqliteStore

name = sys.argv[2]
with SqliteStore.open(Path(sys.argv[1])) as store:
    for number in range(30):
        own = [f"{name}/{number}/{i}" for i in range(BATCH)]
        both = [f"both/{number}/{i}" for i in range(BATCH)]
        store.put([record(id, {"n": number}) for id in own + both], FINGERPRINT)
print("done", flush=True)
"""


def test_two_processes_that_write_the_same_collection_lose_and_double_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "shop.lookalike"
    SqliteStore.create(folder, space()).close()
    writers = [start(SHARED, str(folder), name) for name in ("one", "two")]
    assert [writer.communicate()[0] for writer in writers] == ["done\n", "done\n"]
    counts = Counter(id_.split("/")[0] for id_ in stored(folder))
    assert counts == {"one": 30 * BATCH, "two": 30 * BATCH, "both": 30 * BATCH}
    with SqliteStore.open(folder) as store:
        assert store.version() == 60
        assert len(store.changes(0, 2**62).removed) == 30 * BATCH, "each shared item was replaced once"


CREATOR = """
import sys
from pathlib import Path
from store_records import space
from lookalike.errors import CollectionExists
from lookalike.store.sqlite import SqliteStore

sys.stdin.readline()
try:
    SqliteStore.create(Path(sys.argv[1]), space()).close()
    print("made")
except CollectionExists:
    print("exists")
"""


@pytest.mark.parametrize("attempt", range(3))
def test_of_processes_that_create_one_collection_one_wins(tmp_path: Path, attempt: int) -> None:
    folder = tmp_path / f"shop{attempt}.lookalike"
    creators = [
        subprocess.Popen(
            [sys.executable, "-c", CREATOR, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for _ in range(3)
    ]
    said = sorted(creator.communicate("go\n")[0].strip() for creator in creators)
    assert said == ["exists", "exists", "made"]
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert stored(folder) == {}
