"""What docs/track.md prints is true of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.tracking.cameras import KEYS, parse_cameras

TEXT = (Path(__file__).parents[1] / "docs" / "track.md").read_text(encoding="utf-8")
GRAMMAR = TEXT.split("```")[1]


def test_the_description_of_cameras_can_be_read() -> None:
    example = re.search(r"```json\n(.*?)```", TEXT, re.S)
    assert example is not None
    cameras = parse_cameras(json.loads(example[1]), folder=Path())
    assert [camera.name for camera in cameras] == ["door", "hall", "yard"]
    named = set(re.findall(r"^\| `(.*?)` \|", TEXT, re.M)) | {
        "video",
        "frames",
        "url",
        "name",
        "width",
        "height",
    }
    assert {each for keys in named for each in re.split(r"`, `", keys)} == set(KEYS)


@pytest.mark.parametrize("command", ["track", "identities", "follow"])
def test_every_option_is_one_and_none_is_left_out(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = re.search(rf"^lookalike {command} (.*?)(?=^lookalike)", GRAMMAR, re.M | re.S)
    assert printed is not None
    with pytest.raises(SystemExit):
        main([command, "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--json"}
    assert set(re.findall(r"--[a-z-]+", printed[1])) == known


def test_every_task_of_identity_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    printed = re.search(r"^lookalike identity +(.*?) COLLECTION", GRAMMAR, re.M)
    assert printed is not None
    with pytest.raises(SystemExit):
        main(["identity", "--help"])
    listed = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.M)
    assert set(re.findall(r"[a-z]+", printed[1])) == set(listed)
