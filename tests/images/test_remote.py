"""Object storage (a real S3 server on loopback, and memory://) and the web (a real HTTP server)."""

from __future__ import annotations

import functools
import http.server
import io
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from painting import encode_as, make_picture
from test_scan import candidates, ids, problems

from lookalike.errors import ImageError, SourceError
from lookalike.images.decode import Limits
from lookalike.images.fetch import fetch
from lookalike.images.scan import resolve

A, B, C = (encode_as("JPEG", make_picture(seed=seed)) for seed in range(3))
FILES = {
    "catalog/a.jpg": A,
    "catalog/b.JPG": B,
    "catalog/sub/c.jpg": C,
    "catalog/notes.csv": b"x",
    "other/d.jpg": A,
}


def tar_of(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    pytest.importorskip("s3fs", reason="needs s3fs: pip install 'lookalike[s3]'")
    server = pytest.importorskip("moto.server", reason="needs moto: pip install 'lookalike[dev]'")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import s3fs

    from lookalike.images import storage

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    storage._storage.cache_clear()
    files = s3fs.S3FileSystem()
    files.mkdir("bucket")
    yield "s3://bucket"
    files.rm("bucket", recursive=True)
    storage._storage.cache_clear()


@pytest.fixture
def memory() -> Iterator[str]:
    yield "memory://bucket"
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


@pytest.fixture(params=["s3", "memory"])
def bucket(request: pytest.FixtureRequest) -> str:
    """A bucket with the files in it."""
    root = str(request.getfixturevalue(str(request.param)))
    for name, data in FILES.items():
        put(f"{root}/{name}", data)
    return root


def put(uri: str, data: bytes) -> None:
    files, path = fsspec.url_to_fs(uri)
    files.pipe_file(path, data)


# object storage


def test_a_folder_of_objects(bucket: str) -> None:
    for form in (f"{bucket}/catalog", f"{bucket}/catalog/"):
        found = candidates(form)
        assert [c.id for c in found] == ["catalog/a.jpg", "catalog/b.JPG", "catalog/sub/c.jpg"]
    assert [c.load() for c in found] == [A, B, C]
    assert found[2].uri == f"{bucket}/catalog/sub/c.jpg"
    assert fetch(found[2].uri) == C
    (source,) = resolve([f"{bucket}/catalog/"])
    assert (source.name, source.uri, source.whole) == ("catalog", f"{bucket}/catalog", True)


def test_a_whole_bucket_has_its_name(bucket: str) -> None:
    assert ids(bucket)[-1] == "bucket/other/d.jpg"


def test_a_single_object_and_a_glob(bucket: str) -> None:
    assert ids(f"{bucket}/catalog/a.jpg") == ["catalog/a.jpg"]
    assert ids(f"{bucket}/catalog/**/*.jpg") == ["catalog/a.jpg", "catalog/sub/c.jpg"]
    assert ids(f"{bucket}/*/[ad].jpg") == ["bucket/catalog/a.jpg", "bucket/other/d.jpg"]


def test_the_stamp_changes_with_the_object_and_only_then(bucket: str) -> None:
    before = {c.id: c.stamp for c in candidates(f"{bucket}/catalog")}
    assert all(before.values())
    assert before == {c.id: c.stamp for c in candidates(f"{bucket}/catalog")}
    assert candidates(f"{bucket}/catalog/a.jpg")[0].stamp == before["catalog/a.jpg"]
    time.sleep(0.01)
    put(f"{bucket}/catalog/a.jpg", B)
    after = {c.id: c.stamp for c in candidates(f"{bucket}/catalog")}
    assert [id for id in before if before[id] != after[id]] == ["catalog/a.jpg"]


def test_new_objects_are_seen_without_a_restart(bucket: str) -> None:
    assert len(ids(f"{bucket}/catalog")) == 3
    put(f"{bucket}/catalog/z.jpg", A)
    assert len(ids(f"{bucket}/catalog")) == 4


def test_objects_that_vanish_or_are_too_large_are_image_errors(bucket: str) -> None:
    found = candidates(f"{bucket}/catalog")
    files, path = fsspec.url_to_fs(f"{bucket}/catalog/a.jpg")
    files.rm_file(path)
    with pytest.raises(ImageError, match="no such file"):
        found[0].load()
    with pytest.raises(ImageError, match="more than the limit"):
        candidates(f"{bucket}/catalog", limits=Limits(bytes=100))[0].load()
    assert candidates(f"{bucket}/catalog", limits=Limits(bytes=len(B)))[0].load() == B


def test_archives_are_read_by_range(bucket: str) -> None:
    put(f"{bucket}/shard-000.tar", tar_of({"x.jpg": A, "y.jpg": B}))
    found = candidates(f"{bucket}/shard-{{000..000}}.tar")
    assert [c.id for c in found] == ["shard-000/x.jpg", "shard-000/y.jpg"]
    assert [c.load() for c in found] == [A, B]
    assert fetch(found[1].uri) == B


def test_tables_with_places_in_the_bucket(bucket: str) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs PyArrow: pip install 'lookalike[arrow]'")
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.table({"path": ["catalog/a.jpg", f"{bucket}/other/d.jpg"]}), file)
    put(f"{bucket}/t.parquet", file.getvalue())
    assert [c.load() for c in candidates(f"{bucket}/t.parquet")] == [A, A]


def test_videos_in_the_bucket(bucket: str, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    from test_video import write_video

    put(f"{bucket}/door/clip.mp4", write_video(tmp_path / "clip.mp4", frames=15).read_bytes())
    found = candidates(f"{bucket}/door/*.mp4")
    assert [c.id for c in found] == ["door/clip.mp4#t=0.000", "door/clip.mp4#t=1.000"]
    assert [c.load().shape for c in found] == [(48, 64, 3)] * 2  # type: ignore[union-attr]


def test_lists_in_the_bucket(bucket: str) -> None:
    put(f"{bucket}/list.txt", b"catalog/a.jpg\n")
    (found,) = candidates(f"{bucket}/list.txt")
    assert (found.id, found.stamp, found.load()) == ("catalog/a.jpg", None, A)


def test_what_is_not_there_is_refused(bucket: str) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        resolve([f"{bucket}/nothing/"])
    with pytest.raises(SourceError, match="matches nothing"):
        resolve([f"{bucket}/catalog/*.png"])


def test_two_buckets_with_one_name_are_refused(bucket: str) -> None:
    put(f"{bucket}/other/catalog/a.jpg", A)
    with pytest.raises(SourceError, match="--prefix"):
        resolve([f"{bucket}/catalog", f"{bucket}/other/catalog"])


def test_without_s3fs_the_extra_is_named() -> None:
    script = """
import sys
sys.modules["s3fs"] = None
from lookalike.errors import MissingExtra
from lookalike.images.scan import resolve
try:
    resolve(["s3://bucket/catalog/"])
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "lookalike[s3]" in done.stdout


# the web


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """Files; and one that is announced longer than it is."""
        if not self.path.endswith("broken.jpg"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(A[:500])
        return None


@pytest.fixture
def site(catalog: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(catalog.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_of_the_web(site: str, catalog: Path) -> None:
    (found,) = candidates(f"{site}/catalog/a.jpg?size=large")
    assert (found.id, found.stamp) == ("catalog/a.jpg", None)
    assert found.load() == fetch(found.uri) == (catalog / "a.jpg").read_bytes()


def test_a_file_of_the_web_with_an_odd_name(site: str, catalog: Path) -> None:
    (catalog / "rote stühle.jpg").write_bytes(A)
    for name in ("rote stühle.jpg", "rote%20st%C3%BChle.jpg"):
        assert candidates(f"{site}/catalog/{name}")[0].load() == A


def test_a_list_of_addresses(site: str, tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text(f"{site}/catalog/a.jpg\n{site}/catalog/none.jpg\n")
    first, second = candidates(tmp_path / "l.txt")
    assert first.load()
    with pytest.raises(ImageError, match="the server answered 404"):
        second.load()


def test_a_connection_that_breaks_off_is_an_image_error(site: str) -> None:
    with pytest.raises(ImageError, match="broke off 4500 bytes before the end"):
        fetch(f"{site}/catalog/broken.jpg")


def test_limits_hold_for_the_web(site: str) -> None:
    with pytest.raises(ImageError, match="more than the limit"):
        candidates(f"{site}/catalog/a.jpg", limits=Limits(bytes=100))[0].load()


def test_a_server_that_does_not_answer_is_an_image_error() -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        candidates("http://127.0.0.1:9/x/a.jpg")[0].load()


def test_a_folder_of_the_web_is_refused(site: str) -> None:
    with pytest.raises(SourceError, match="cannot be listed"):
        resolve([f"{site}/catalog/"])
    assert not problems(candidates(f"{site}/catalog/a.jpg"))
