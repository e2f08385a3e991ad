"""Files, folders and globs of the local disk: ids, stamps, order, and what is refused up front."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from painting import encode_as, make_picture

from lookalike.errors import ImageError, InputError, SourceError
from lookalike.images.decode import Limits, decode
from lookalike.images.scan import Candidate, Source, resolve


def candidates(*sources: str | Path, **options: object) -> list[Candidate]:
    return [c for source in resolve(sources, **options) for c in source.candidates()]  # type: ignore[arg-type]


def ids(*sources: str | Path, **options: object) -> list[str]:
    return [c.id for c in candidates(*sources, **options)]


def problems(found: Sequence[Candidate]) -> dict[str, str]:
    return {c.id: c.problem for c in found if c.problem is not None}


# folders


def test_a_folder_gives_its_name_and_the_path_inside_sorted(catalog: Path) -> None:
    assert ids(catalog) == ["catalog/a.jpg", "catalog/b.JPG", "catalog/sub/chair_0.jpg"]
    (source,) = resolve([catalog])
    assert (source.name, source.uri, source.whole) == ("catalog", str(catalog), True)
    assert source.source == Source("catalog", str(catalog))


def test_candidates_load_the_bytes_and_name_the_place(catalog: Path) -> None:
    first = candidates(catalog)[0]
    assert first.source == "catalog"
    assert first.uri == str(catalog / "a.jpg")
    assert first.load() == (catalog / "a.jpg").read_bytes()
    assert first.problem is None


def test_the_stamp_changes_with_the_file_and_only_then(catalog: Path) -> None:
    before = {c.id: c.stamp for c in candidates(catalog)}
    assert before == {c.id: c.stamp for c in candidates(catalog)}
    status = (catalog / "a.jpg").stat()
    assert before["catalog/a.jpg"] == f"{status.st_size}:{status.st_mtime_ns}"
    os.utime(catalog / "a.jpg", ns=(0, status.st_mtime_ns + 1))
    after = {c.id: c.stamp for c in candidates(catalog)}
    assert [id for id in before if before[id] != after[id]] == ["catalog/a.jpg"]


@pytest.mark.parametrize("form", ["{}/", "{}/.", "{}/sub/..", "{}"])
def test_the_form_of_the_path_does_not_matter(catalog: Path, form: str) -> None:
    assert ids(form.format(catalog)) == ids(catalog)


def test_a_dot_resolves_to_the_real_folder(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(catalog)
    assert ids(".") == ids(catalog)
    monkeypatch.chdir(catalog.parent)
    assert ids("catalog") == ids(catalog)


def test_a_prefix_replaces_the_name(catalog: Path) -> None:
    assert ids(catalog, prefix="summer/sale/") == [
        "summer/sale/a.jpg",
        "summer/sale/b.JPG",
        "summer/sale/sub/chair_0.jpg",
    ]


@pytest.mark.parametrize("prefix", ["", "/", "a//b", "..", "a/./b", "new\nline"])
def test_a_prefix_that_cannot_begin_an_id_is_an_input_error(catalog: Path, prefix: str) -> None:
    with pytest.raises(InputError, match="prefix"):
        resolve([catalog], prefix=prefix)


def test_heic_is_not_passed_over_in_silence(catalog: Path) -> None:
    (catalog / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    last = {c.id: c for c in candidates(catalog)}["catalog/phone.HEIC"]
    with pytest.raises(ImageError, match="HEIC"):
        decode(bytes(last.load()))


def test_containers_inside_a_folder_are_not_entered(catalog: Path) -> None:
    for name in ("clip.mp4", "shard.tar", "rows.parquet", "more.txt"):
        (catalog / name).write_bytes(b"x")
    assert len(ids(catalog)) == 3


def test_a_folder_is_walked_lazily(catalog: Path) -> None:
    walk = resolve([catalog])[0].candidates()
    next(walk)
    (catalog / "sub" / "later.jpg").write_bytes(b"x")
    assert [c.id for c in walk][-1] == "catalog/sub/later.jpg"


def test_a_loop_of_links_is_walked_once(catalog: Path) -> None:
    (catalog / "sub" / "back").symlink_to(catalog)
    (catalog / "sub" / "self").symlink_to(catalog / "sub")
    assert len(ids(catalog)) == 3


def test_a_link_to_another_folder_is_followed(catalog: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.jpg").write_bytes(b"x")
    (catalog / "linked").symlink_to(other)
    assert "catalog/linked/z.jpg" in ids(catalog)


def test_a_link_that_leads_nowhere_is_a_problem(catalog: Path) -> None:
    (catalog / "gone.jpg").symlink_to(catalog / "nothing.jpg")
    found = problems(candidates(catalog))
    assert list(found) == ["catalog/gone.jpg"]
    assert "leads nowhere" in found["catalog/gone.jpg"]


def test_a_pipe_is_a_problem_and_is_not_opened(catalog: Path) -> None:
    os.mkfifo(catalog / "pipe.jpg")
    assert "not a regular file" in problems(candidates(catalog))["catalog/pipe.jpg"]


NOBODY = 65534


def test_a_forbidden_folder_is_a_problem_that_hides_more(catalog: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:  # below pytest's own folder only its owner may look
        copy = Path(shutil.copytree(catalog, Path(scratch) / "catalog"))
        Path(scratch).chmod(0o755)
        (copy / "sub").chmod(0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)  # nothing is forbidden to root
        try:
            found = candidates(copy)
        finally:
            if root:
                os.seteuid(0)
            (copy / "sub").chmod(0o755)
    assert "permission denied" in problems(found)["catalog/sub/"]
    assert found[-1].hides_more


def test_a_folder_that_vanishes_during_the_walk_is_a_problem_that_hides_more(catalog: Path) -> None:
    walk = resolve([catalog])[0].candidates()
    next(walk)
    (catalog / "sub" / "chair_0.jpg").unlink()
    (catalog / "sub").rmdir()
    last = list(walk)[-1]
    assert last.id == "catalog/sub/"
    assert last.hides_more
    with pytest.raises(ImageError, match="cannot be listed: no such file"):
        last.load()


def test_a_file_that_vanished_is_an_image_error(catalog: Path) -> None:
    first = candidates(catalog)[0]
    (catalog / "a.jpg").unlink()
    with pytest.raises(ImageError, match=r"no such file: .*a\.jpg"):
        first.load()


def test_a_file_over_the_limit_is_not_read(catalog: Path) -> None:
    with pytest.raises(ImageError, match="more than the limit"):
        candidates(catalog, limits=Limits(bytes=10))[0].load()


@pytest.mark.skipif(sys.platform == "darwin", reason="needs a file system that takes any bytes as a name")
def test_names_that_cannot_be_ids_are_problems_and_the_rest_goes_on(catalog: Path) -> None:
    for name in (b"caf\xe9.jpg", b"two\nlines.jpg", b"bell\x07.jpg"):
        Path(os.fsdecode(os.fsencode(catalog) + b"/" + name)).write_bytes(b"x")
    found = candidates(catalog)
    assert len(found) == 6
    assert sorted(problems(found)) == [
        "catalog/bell\\x07.jpg",
        "catalog/caf\\xe9.jpg",
        "catalog/two\\x0alines.jpg",
    ]
    assert "not UTF-8" in problems(found)["catalog/caf\\xe9.jpg"]
    for candidate in found:
        f"{candidate.id} {candidate.uri} {candidate.problem}".encode()  # all of it can be stored


@pytest.mark.parametrize(
    "name", ["stühle.jpg", "stu\u0308hle.jpg", "椅子 1.jpg", "a#b.jpg", "100%.jpg", "it's.jpg"]
)
def test_unicode_and_odd_names_are_kept_as_they_are(catalog: Path, name: str) -> None:
    (catalog / name).write_bytes(b"x")
    found = {c.id: c for c in candidates(catalog)}
    assert found[f"catalog/{name}"].load() == b"x"


# single files


def test_a_file_takes_its_folders_name(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(catalog / "sub" / "chair_0.jpg") == ["sub/chair_0.jpg"]
    single, folder = candidates(catalog / "a.jpg")[0], candidates(catalog)[0]
    assert (single.id, single.uri, single.stamp, single.source) == (
        folder.id,
        folder.uri,
        folder.stamp,
        folder.source,
    )
    monkeypatch.chdir(catalog)
    assert ids("a.jpg") == ["catalog/a.jpg"]


def test_a_file_is_a_part_of_its_folder(catalog: Path) -> None:
    (source,) = resolve([catalog / "a.jpg"])
    assert (source.name, source.uri, source.whole) == ("catalog", str(catalog), False)


def test_a_named_file_needs_no_ending(catalog: Path) -> None:
    (catalog / "IMG_0001").write_bytes(encode_as("PNG", make_picture()))
    (candidate,) = candidates(catalog / "IMG_0001")
    assert decode(bytes(candidate.load())).format == "PNG"


# globs


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("**/*.jpg", ["catalog/a.jpg", "catalog/sub/chair_0.jpg"]),
        ("*.jpg", ["catalog/a.jpg"]),
        ("*", ["catalog/a.jpg", "catalog/b.JPG"]),
        ("**", ["catalog/a.jpg", "catalog/b.JPG", "catalog/sub/chair_0.jpg"]),
        ("*/chair_?.jpg", ["catalog/sub/chair_0.jpg"]),
        ("[ab].*", ["catalog/a.jpg", "catalog/b.JPG"]),
        ("s*/**/*.jpg", ["catalog/sub/chair_0.jpg"]),
        ("*.{jpg,JPG}", ["catalog/a.jpg", "catalog/b.JPG"]),
    ],
)
def test_a_glob_takes_what_fits(catalog: Path, pattern: str, expected: list[str]) -> None:
    assert ids(f"{catalog}/{pattern}") == expected


def test_a_glob_is_named_by_the_folder_before_its_first_wildcard(catalog: Path) -> None:
    assert ids(f"{catalog.parent}/*/*.jpg") == ["shop/catalog/a.jpg"]
    assert ids(f"{catalog.parent}/*/*.jpg", prefix="p") == ["p/catalog/a.jpg"]
    (source,) = resolve([f"{catalog}/*.jpg"])
    assert (source.uri, source.whole) == (str(catalog), False)


def test_a_relative_glob(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(catalog)
    assert ids("*.jpg") == ["catalog/a.jpg"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(catalog: Path) -> None:
    (catalog / "x[1].jpg").write_bytes(b"x")
    assert ids(catalog / "x[1].jpg") == ["catalog/x[1].jpg"]


def test_braces_name_files(catalog: Path) -> None:
    assert ids(f"{catalog}/{{a.jpg,b.JPG}}") == ["catalog/a.jpg", "catalog/b.JPG"]
    with pytest.raises(SourceError, match=r"c\.jpg does not exist"):
        resolve([f"{catalog}/{{a,c}}.jpg"])


# refusals


def test_a_missing_source_is_named_with_what_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"nothing does not exist: expected an image file, a folder, a glob"
    ):
        resolve([tmp_path / "nothing"])


@pytest.mark.parametrize("pattern", ["*.png", "nowhere/*.jpg", "*.tar", "shard-{0..1}-*.tar"])
def test_a_glob_that_matches_nothing_is_refused(catalog: Path, pattern: str) -> None:
    with pytest.raises(SourceError, match="matches nothing"):
        resolve([f"{catalog}/{pattern}"])


@pytest.mark.parametrize("source", ["", "  "])
def test_an_empty_source_is_refused(source: str) -> None:
    with pytest.raises(SourceError, match="a source is empty"):
        resolve([source])


def test_a_pipe_as_a_source_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        resolve([tmp_path / "pipe"])


def test_a_source_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(SourceError):
        resolve(["a\0b"])


def test_the_root_has_no_name() -> None:
    with pytest.raises(SourceError, match="no name of its own"):
        resolve(["/"])


def test_two_places_of_one_name_are_refused_with_the_remedy(catalog: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "catalog"
    other.mkdir(parents=True)
    with pytest.raises(SourceError, match="--prefix NAME") as refused:
        resolve([catalog, other])
    assert str(catalog) in str(refused.value)
    assert str(other) in str(refused.value)
    assert len(resolve([catalog, catalog, catalog / "a.jpg", f"{catalog}/*.jpg"])) == 4


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(SourceError, match="not a known protocol"):
        resolve(["nonsense://a/b.jpg"])
