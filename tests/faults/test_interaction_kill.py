"""kill -9 at random moments of an import: nothing acknowledged is lost, and repeating it doubles nothing.

LOOKALIKE_STORE_KILL_ROUNDS=100 sets the number of kills (default 8).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

from lookalike.collection.interacting import Interacting
from lookalike.store.sqlite import SqliteStore
from store_records import space

ROUNDS = int(os.environ.get("LOOKALIKE_STORE_KILL_ROUNDS", "8"))
SEED = 20260301
ROWS = 60_000
USERS = 300

IMPORT = """
import sys
from pathlib import Path
from lookalike.collection.interacting import Interacting
from lookalike.ingest import interaction_table
from lookalike.store.sqlite import SqliteStore

interaction_table.BATCH = 500

def tell(done, _total):
    print(done, flush=True)

with SqliteStore.open(Path(sys.argv[1])) as store:
    print("begun", flush=True)
    Interacting(store, Path(sys.argv[1])).add_interactions(Path(sys.argv[2]), progress=tell)
    print("finished", flush=True)
"""

RECORD = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from lookalike.collection.interacting import Interacting
from lookalike.store.sqlite import SqliteStore

with SqliteStore.open(Path(sys.argv[1])) as store:
    shop = Interacting(store, Path(sys.argv[1]))
    number = int(sys.argv[2])
    while True:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        shop.record("ada", f"item {number}", "view", time=at)
        print(number, flush=True)
        number += 1
"""


def killed(script: str, *arguments: str, after_lines: int, seconds: float) -> list[str]:
    """What a script said until it was killed some time after its first lines; all of it if it ended before."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(after_lines)]
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    said += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    killer.cancel()
    killer.join()
    process.stdout.close()
    assert process.returncode in (0, -9), "it died of something else"
    return said


def test_an_import_that_is_killed_goes_on_where_it_is_repeated(tmp_path: Path) -> None:
    folder, table = tmp_path / "shop.lookalike", tmp_path / "events.csv"
    SqliteStore.create(folder, space()).close()
    with table.open("w") as file:
        file.write("user,item,event,time\n")
        file.writelines(f"u{i % USERS},i{i % 97},view,{1_773_144_000 + i}\n" for i in range(ROWS))
    chance = random.Random(SEED)
    stored, interrupted = 0, 0
    for _ in range(ROUNDS):
        said = killed(IMPORT, str(folder), str(table), after_lines=1, seconds=chance.uniform(0, 1.0))
        acknowledged = max((int(line) for line in said if line.isdigit()), default=0)
        with SqliteStore.open(folder) as store:
            assert list(store.verify()) == []
            counts = store.interaction_counts()
            assert counts.interactions >= max(acknowledged, stored)
            assert counts.interactions % 500 == 0, "a batch is half stored"
        interrupted += said[-1] != "finished"
        stored = counts.interactions
    assert interrupted, "no kill met an import"
    with SqliteStore.open(folder) as store:
        ledger = Interacting(store, folder).add_interactions(table, progress=False)
        assert (ledger.added, ledger.known) == (ROWS - stored, stored)
        assert store.interaction_counts().interactions == ROWS
        assert all(len(store.interactions(f"u{i}")) == ROWS // USERS for i in range(0, USERS, 50))
        assert list(store.verify()) == []


def test_what_was_recorded_before_a_kill_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "shop.lookalike"
    SqliteStore.create(folder, space()).close()
    chance = random.Random(SEED)
    number = 0
    for _ in range(ROUNDS):
        said = killed(RECORD, str(folder), str(number), after_lines=1, seconds=chance.uniform(0, 0.1))
        acknowledged = int(said[-1])
        with SqliteStore.open(folder) as store:
            items = [each.item for each in store.interactions("ada")]
            assert list(store.verify()) == []
        number = len(items)
        assert items == [f"item {i}" for i in range(number)]
        assert number in (acknowledged + 1, acknowledged + 2), "what was being written is there or not"
