"""Connecting, keys, long work that is given up, many threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from collection_pair import Pair

import lookalike
from lookalike.client import Remote, uploading
from lookalike.collection import Collection
from lookalike.errors import CollectionNotFound, InputError, ServiceError, UnknownItem
from lookalike.service.keys import KeyFile
from lookalike.service.settings import ServiceSettings
from loopback_server import serving


@pytest.fixture
def two(tmp_path: Path) -> Iterator[dict[str, Collection]]:
    with lookalike.create(tmp_path / "a.lookalike") as a, lookalike.create(tmp_path / "b.lookalike") as b:
        yield {"a": a, "b ü": b}


def test_one_collection_needs_no_name_and_several_do(two: dict[str, Collection]) -> None:
    with serving(two) as url:
        with pytest.raises(InputError, match="serves a, b ü: name one"):
            lookalike.connect(url)
        with pytest.raises(CollectionNotFound, match="'c': there is a, b ü"):
            lookalike.connect(url, collection="c")
        with Remote(url) as service:
            assert service.collections() == list(service) == ["a", "b ü"] and len(service) == 2
            assert service["b ü"].name == "b ü" and len(service["b ü"]) == 0
            assert repr(service) == f"Remote('{url}')"
        with lookalike.connect(url + "/", collection="a") as a:
            assert list(a) == [] and repr(a) == f"RemoteCollection('{url}/v1/collections/a')"
    with serving({"a": two["a"]}) as url, lookalike.connect(url) as only:
        assert only.name == "a"
    with serving({}) as url, pytest.raises(InputError, match="none"):
        lookalike.connect(url)


def test_a_key_opens_what_it_is_for(two: dict[str, Collection], tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    reader, _ = keys.create("page", scope="read", collections=["a"])
    with serving(two, ServiceSettings(keys=keys.path)) as url:
        with pytest.raises(ServiceError) as none:
            lookalike.connect(url)
        assert (none.value.status, none.value.problem) == (401, "missing-key")
        with pytest.raises(ServiceError) as wrong:
            lookalike.connect(url, key=reader[:-1] + ("a" if reader[-1] != "a" else "b"))
        assert wrong.value.problem == "invalid-key"
        with lookalike.connect(url, key=reader) as a:
            assert (a.name, len(a)) == ("a", 0)
            with pytest.raises(ServiceError) as refused:
                a.set_attributes({"x": {"price": 1.0}})
            assert (refused.value.status, refused.value.problem) == (403, "scope")
            with pytest.raises(ServiceError):
                a.audit_log()


def test_ctrl_c_cancels_the_work_on_the_service(fresh: Pair) -> None:
    def interrupted(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fresh.remote.duplicates(where="price < 40", progress=interrupted)
    with Remote(fresh.remote._transport.url) as service:
        deadline = time.monotonic() + 30
        while service.jobs("shop")[0]["state"] in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(0.05)
        (job,) = service.jobs("shop")
        assert job["state"] == "cancelled"
        with pytest.raises(ServiceError, match="was cancelled"):
            service.wait(job["id"])


def test_progress_is_told_and_a_failure_is_the_exception_of_a_local_one(fresh: Pair) -> None:
    told: list[tuple[int, int]] = []
    fresh.remote.predict_labels("category", progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
    with pytest.raises(InputError, match="nothing to learn from"):
        for number in range(7):
            fresh.remote.forget_user(f"user {number}")
        fresh.remote.fit_recommender(progress=False)


def test_what_is_too_large_is_sent_in_parts(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8" + bytes(200_000))
    limit = max(path.stat().st_size for path in pictures.glob("*_?.jpg")) + 2_000
    monkeypatch.setattr(uploading, "MOST_BYTES", 10 * limit)
    with (
        lookalike.create(tmp_path / "a.lookalike") as held,
        serving({"a": held}, ServiceSettings(max_upload_bytes=limit)) as url,
        lookalike.connect(url) as remote,
    ):
        ledger = remote.add(pictures, progress=False)
        assert (ledger.inputs, ledger.added, ledger.failed) == (13, 12, 1)
        assert len(remote) == 12
        names = ["a\\b.jpg", "a%22b.jpg", 'a"b.jpg']
        data = min(pictures.glob("*_?.jpg")).read_bytes()
        sent = remote.upload(dict.fromkeys(names, data), prefix="named", progress=False)
        assert [each.uri for each in sent.failures] == names[:2]
        assert all("rename" in each.reason for each in sent.failures)
        assert 'named/a"b.jpg' in remote


def test_many_threads_share_one_connection_pool(pair: Pair) -> None:
    ids = [item.id for item in pair.local][:24]
    expected = {id: [hit.id for hit in pair.local.search(id, k=3)] for id in ids}
    with ThreadPoolExecutor(8) as threads:
        found = dict(
            zip(ids, threads.map(lambda id: [h.id for h in pair.remote.search(id, k=3)], ids), strict=True)
        )
    assert found == expected
    assert threading.active_count() < 60


def test_a_page_of_hits_can_be_saved(pair: Pair, tmp_path: Path) -> None:
    page = pair.remote.search(next(iter(pair.remote)).id, k=3).save_html(tmp_path / "hits.html")
    assert page.read_text(encoding="utf-8").count("data:image/webp") >= 3


def test_an_id_never_leads_to_something_else(fresh: Pair) -> None:
    """Ids and users' names may come from strangers: dots in them are no way up."""
    one = next(iter(fresh.local)).id
    assert fresh.remote.forget_user(f"../items/{one}") == 0
    assert one in fresh.local
    assert f"nowhere/../{one}" not in fresh.remote
    for id in ("..", ".", "../event-weights", f"../items/{one}"):
        with pytest.raises(UnknownItem):
            fresh.remote.item(id)
        with pytest.raises(UnknownItem):
            fresh.remote.thumbnail(id)
