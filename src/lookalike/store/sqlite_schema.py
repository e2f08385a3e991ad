"""The tables of a collection's database, how they come to be and how an older file becomes a current one."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from pathlib import Path

from lookalike.errors import CollectionExists, CollectionNotFound, DamagedCollection, StoreError
from lookalike.store.base import Space
from lookalike.store.sqlite_connections import Connections, translated

DATABASE = "collection.db"
"""The record of a collection: the one file of its folder that cannot be rebuilt."""

APPLICATION_ID = 0x4C4F4F4B
"""``LOOK``: tells a collection from any other SQLite file."""

PAGE_SIZE = 16_384
"""Six 1280-d f16 embeddings to a page; with SQLite's 4 KiB each would waste a third of its own."""

USER, ENCODER = 0, 1
"""Where a tag comes from (``tags.origin``); the user's sort first."""

CURRENT, BEGUN = "current", "begun"
"""States of a space (``spaces.state``)."""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE meta (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            version INTEGER NOT NULL,
            epoch INTEGER NOT NULL)""",
        "INSERT INTO meta VALUES (1, 0, 0)",
        """CREATE TABLE spaces (
            number INTEGER PRIMARY KEY,
            spec TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            dimensions INTEGER NOT NULL,
            precision TEXT NOT NULL,
            state TEXT NOT NULL UNIQUE CHECK (state IN ('current', 'begun')))""",
        "CREATE TABLE sources (name TEXT PRIMARY KEY, uri TEXT NOT NULL) WITHOUT ROWID",
        # AUTOINCREMENT: a row number is never given twice.
        """CREATE TABLE items (
            row INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            uri TEXT NOT NULL,
            source TEXT NOT NULL,
            stamp TEXT,
            sha256 TEXT NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            crc INTEGER NOT NULL)""",
        "CREATE INDEX items_by_source ON items (source)",
        # An attribute's values are in column a<number> of the table attributes.
        """CREATE TABLE catalogue (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            type TEXT NOT NULL)""",
        "CREATE TABLE attributes (row INTEGER PRIMARY KEY)",
        """CREATE TABLE tags (
            row INTEGER NOT NULL,
            origin INTEGER NOT NULL,
            position INTEGER NOT NULL,
            tag TEXT NOT NULL,
            folded TEXT NOT NULL,
            PRIMARY KEY (row, origin, position)) WITHOUT ROWID""",
        "CREATE INDEX tags_by_word ON tags (folded)",
        """CREATE TABLE begun_labels (
            row INTEGER NOT NULL,
            position INTEGER NOT NULL,
            tag TEXT NOT NULL,
            PRIMARY KEY (row, position)) WITHOUT ROWID""",
        "CREATE TABLE thumbnails (row INTEGER PRIMARY KEY, webp BLOB NOT NULL, crc INTEGER NOT NULL)",
        "CREATE TABLE removed (row INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
        "CREATE INDEX removed_by_version ON removed (version)",
        """CREATE VIRTUAL TABLE words USING fts5 (
            id, tags, text, tokenize = 'porter unicode61 remove_diacritics 2')""",
    ),
    (
        "ALTER TABLE meta ADD COLUMN fitted INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE fitted (
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            number INTEGER NOT NULL UNIQUE,
            fingerprint TEXT NOT NULL,
            collection_version INTEGER NOT NULL,
            provenance TEXT NOT NULL,
            payload BLOB NOT NULL,
            crc INTEGER NOT NULL,
            PRIMARY KEY (kind, name))""",
    ),
    (
        "ALTER TABLE meta ADD COLUMN interactions INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE meta ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE users (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE targets (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE events (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        # Time in microseconds since 1970 UTC. The key is what makes a repeated import change nothing.
        """CREATE TABLE interactions (
            user INTEGER NOT NULL,
            time INTEGER NOT NULL,
            target INTEGER NOT NULL,
            event INTEGER NOT NULL,
            weight REAL NOT NULL,
            PRIMARY KEY (user, time, target, event)) WITHOUT ROWID""",
        "CREATE TABLE event_weights (event TEXT PRIMARY KEY, weight REAL NOT NULL) WITHOUT ROWID",
    ),
    (
        # The second is the last number that an identity was given.
        "ALTER TABLE meta ADD COLUMN tracking INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE meta ADD COLUMN identities INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE cameras (
            code INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            settings TEXT NOT NULL,
            run TEXT NOT NULL,
            start INTEGER NOT NULL,
            frames INTEGER NOT NULL,
            last INTEGER,
            retain INTEGER,
            state BLOB NOT NULL)""",
        # frame, time and box are those of the best sighting; key is the digest of all of them.
        """CREATE TABLE tracklets (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            camera INTEGER NOT NULL,
            track INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            sightings INTEGER NOT NULL,
            category INTEGER NOT NULL,
            quality REAL NOT NULL,
            frame INTEGER NOT NULL,
            time INTEGER NOT NULL,
            x REAL NOT NULL,
            y REAL NOT NULL,
            w REAL NOT NULL,
            h REAL NOT NULL,
            fingerprint TEXT NOT NULL,
            key BLOB NOT NULL)""",
        "CREATE INDEX tracklets_by_time ON tracklets (camera, first)",
        """CREATE TABLE tracklet_data (
            number INTEGER PRIMARY KEY,
            sightings BLOB NOT NULL,
            description BLOB NOT NULL,
            crop BLOB NOT NULL,
            crc INTEGER NOT NULL)""",
        """CREATE TABLE identities (
            number INTEGER PRIMARY KEY,
            name TEXT UNIQUE,
            recognised TEXT,
            similarity REAL,
            false_match_rate REAL)""",
        "CREATE TABLE memberships (tracklet INTEGER PRIMARY KEY, identity INTEGER NOT NULL)",
        "CREATE INDEX memberships_by_identity ON memberships (identity)",
        """CREATE TABLE corrections (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT,
            made INTEGER NOT NULL)""",
        """CREATE TABLE anchors (
            correction INTEGER NOT NULL,
            position INTEGER NOT NULL,
            camera TEXT NOT NULL,
            time INTEGER NOT NULL,
            x REAL NOT NULL,
            y REAL NOT NULL,
            w REAL NOT NULL,
            h REAL NOT NULL,
            PRIMARY KEY (correction, position)) WITHOUT ROWID""",
        """CREATE TABLE gallery (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            description BLOB NOT NULL,
            picture BLOB NOT NULL,
            crc INTEGER NOT NULL)""",
        "CREATE INDEX gallery_by_name ON gallery (name)",
        # seal: digest of the row and of the seal before it.
        """CREATE TABLE searches (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,
            who TEXT NOT NULL,
            kind TEXT NOT NULL,
            query TEXT NOT NULL,
            reason TEXT NOT NULL,
            answers INTEGER NOT NULL,
            seal TEXT NOT NULL)""",
    ),
)
"""What leads from one schema version to the next, the first from an empty file; only ever added to."""


def embeddings_table(number: int) -> str:
    """The table that holds the embeddings of a space."""
    return f"embeddings_{int(number)}"


def add_space(connection: sqlite3.Connection, space: Space, state: str) -> None:
    """Note a space and make the table for its embeddings."""
    connection.execute(
        "INSERT INTO spaces VALUES (?, ?, ?, ?, ?, ?)",
        (space.number, space.spec, space.fingerprint, space.dimensions, space.precision, state),
    )
    connection.execute(
        f"CREATE TABLE {embeddings_table(space.number)} "
        "(row INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)"
    )


def create(path: Path, space: Space) -> None:
    """Make an empty collection: whole at ``path``, or not at all.

    Raises:
        CollectionExists: If there is anything at the path.
        StoreError: If it cannot be written.
    """
    if os.path.lexists(path):
        raise _exists(path)
    building = path.parent / f".{path.name}.{secrets.token_hex(4)}.new"
    try:
        building.mkdir(parents=True)
        build(building / DATABASE, space)
        _sync(building / DATABASE)
        _sync(building)
        building.rename(path)
        _sync(path.parent)
    except OSError as error:
        if path.exists():
            raise _exists(path) from error
        raise StoreError(f"a collection cannot be created at {path}: {error}") from error
    finally:
        if building.exists():
            shutil.rmtree(building)


def _exists(path: Path) -> CollectionExists:
    return CollectionExists(f"there is already something at {path}: open it, or choose another path")


def build(database: Path, space: Space) -> None:
    """Write the database of an empty collection at a path where there is nothing."""
    try:
        connection = sqlite3.connect(database, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("BEGIN IMMEDIATE")
            _climb(connection)
            add_space(connection, space, CURRENT)
            connection.execute("COMMIT")
        finally:
            connection.close()  # the last to close copies the log into the file and removes it
    except sqlite3.Error as error:
        raise translated(error, database) from error


def _climb(connection: sqlite3.Connection) -> None:
    """Take the steps that the file has not taken, inside the caller's transaction."""
    (taken,) = connection.execute("PRAGMA user_version").fetchone()
    for step in STEPS[taken:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")


def _sync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return  # only POSIX systems open a folder to sync it
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path, *, readonly: bool, busy_seconds: float) -> Connections:
    """Connections to the collection at ``path``, its schema brought up to date.

    Raises:
        CollectionNotFound: If there is none.
        DamagedCollection: If its database cannot be read.
        StoreError: If its schema is newer than this version, or older and opened for reading only.
    """
    database = path / DATABASE
    if not database.is_file():
        found = (
            "an empty place" if not path.exists() else "a folder without it" if path.is_dir() else "a file"
        )
        raise CollectionNotFound(
            f"there is no collection at {path}: expected a folder with {DATABASE}, got {found}; "
            "create one with lookalike index"
        )
    if database.stat().st_size == 0:
        raise DamagedCollection(f"{database} is empty: restore it from a copy")
    # Readers in write-ahead mode keep locks in a file beside the database. Where the folder takes no new
    # file and there is no log to read, nobody writes: SQLite is told so and needs no locks.
    log = database.with_name(f"{DATABASE}-wal")
    immutable = readonly and not os.access(path, os.W_OK) and not log.exists()
    connections = Connections(database, readonly=readonly, immutable=immutable, busy_seconds=busy_seconds)
    try:
        accept(connections)
    except BaseException:
        connections.close()
        raise
    return connections


def accept(connections: Connections) -> None:
    """Make sure that a database is one of a collection, and bring its schema up to date.

    Raises:
        CollectionNotFound: If it belongs to another program.
        StoreError: If its schema is newer than this version, or older and opened for reading only.
    """
    path = connections.path
    with connections.exclusive() as connection:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (taken,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise CollectionNotFound(f"{path} is a SQLite file of another program, not a collection of lookalike")
    if taken > len(STEPS):
        raise StoreError(
            f"{path} has schema version {taken}, and this lookalike knows up to {len(STEPS)}: "
            "upgrade lookalike (pip install -U lookalike)"
        )
    if taken < len(STEPS):
        if connections.readonly:
            raise StoreError(
                f"{path} has schema version {taken} and has to become {len(STEPS)}: "
                "open it once without readonly"
            )
        with connections.write() as connection:
            _climb(connection)
