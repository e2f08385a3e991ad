"""A collection in Lance by its path: the same answers as a SQLite one, on a machine that was never there before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import lookalike
from lookalike.cli.main import main
from lookalike.collection.facade import Collection
from lookalike.errors import CollectionExists, CollectionNotFound, InputError
from s3_server import s3_uri

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

pytestmark = pytest.mark.filterwarnings(
    "ignore:lance is not fork-safe"
)  # OpenVINO's statistics fork, without it

ITEMS = 40


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """A few of the sample's pictures."""
    folder = tmp_path_factory.mktemp("few") / "catalog"
    folder.mkdir()
    for path in sorted((sample / "catalog").iterdir())[:ITEMS]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def fill(collection: Collection, pictures: Path, sample: Path) -> None:
    collection.add(pictures, attributes=sample / "catalog.csv", key="file", prefix="catalog", progress=False)
    time = datetime(2024, 5, 1, tzinfo=UTC)
    ids = [item.id for item in collection]
    for n in range(40):
        collection.record(f"user {n % 5}", ids[n * 7 % len(ids)], "like", time=time + timedelta(hours=n))
    collection.remove(ids[3])
    collection.cluster(granularity="coarse", progress=False)


def answers(collection: Collection, photo: Path) -> dict[str, object]:
    ids = [item.id for item in collection]
    word = collection.item(ids[0]).attributes["category"]
    return {
        "ids": ids,
        "photo": [(hit.id, hit.score) for hit in collection.search(photo, k=8)],
        "filter": [(hit.id, hit.score) for hit in collection.search(photo, k=8, where="price < 200")],
        "groups": [(hit.id, hit.score) for hit in collection.search(photo, k=5, group_by="product")],
        "words": [(hit.id, hit.score) for hit in collection.search(str(word), k=8)],
        "like": [(hit.id, hit.score) for hit in collection.search(ids[5], k=8)],
        "recommended": [hit.id for hit in collection.recommend(user="user 1", k=5)],
        "attributes": collection.attributes,
        "fitted": [(each["kind"], each["name"]) for each in collection.info()["fitted"]],
        "thumbnail": collection.thumbnail(ids[0]),
    }


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "shop.lance") if request.param == "local" else s3_uri(tmp_path)


def test_a_new_machine_answers_as_the_writer_and_as_sqlite_does(
    place: str, pictures: Path, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = next((sample / "customer").glob("*.jpg"))
    with lookalike.create(tmp_path / "shop.lookalike") as plain:
        fill(plain, pictures, sample)
        expected = answers(plain, photo)
    with lookalike.create(place) as writer:
        fill(writer, pictures, sample)
        assert answers(writer, photo) == expected
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "new machine"))
    with lookalike.open(place) as reader:
        assert reader.path == place
        assert answers(reader, photo) == expected
        assert reader.verify() == []
        reader.compact()
        assert answers(reader, photo) == expected
        assert reader.verify() == []


def test_the_commands_take_the_path(
    place: str, pictures: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = ["--attributes", str(sample / "catalog.csv"), "--key", "file"]
    for added in (ITEMS, 0):
        assert main(["index", str(pictures), "--to", place, *table, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["added"] == added
    for command in ("info", "verify", "compact", "verify"):
        assert main([command, place, "--json"]) == 0
    capsys.readouterr()
    assert main(["search", place, str(next(pictures.iterdir())), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hits"]


def test_a_run_that_added_nothing_leaves_nothing(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture")
    main(["index", str(tmp_path / "nothing"), "--to", place, "--json"])
    with pytest.raises(CollectionNotFound):
        lookalike.open(place)
    with lookalike.create(place) as made:
        assert len(made) == 0
    with pytest.raises(CollectionExists):
        lookalike.create(place)


@pytest.mark.parametrize("path", ["s3://bucket/shop", "gs://bucket/shop.lance", "http://host/x.lance", ""])
def test_a_path_that_no_engine_takes_is_refused(path: str) -> None:
    with pytest.raises(InputError, match=r"s3://BUCKET/NAME\.lance"):
        lookalike.open(path)
