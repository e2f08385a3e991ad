from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BALL, OTHER_BALL = "catalog/BlendSwapCC0-basketball_0.jpg", "catalog/BlendSwapCC0-basketball_1.jpg"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lookalike", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_explain_prints_regions_and_says_how_to_see_them(shop_folder: Path) -> None:
    done = run("explain", shop_folder, BALL, OTHER_BALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("similarity 0.")
    assert "regions that match best" in done.stdout
    assert "--png FILE" in done.stderr


def test_explain_writes_what_it_is_asked_for(shop_folder: Path, sample: Path, tmp_path: Path) -> None:
    png, html = tmp_path / "why.png", tmp_path / "why.html"
    photo = sample / "customer" / "BlendSwapCC0-basketball_0.jpg"
    done = run("explain", shop_folder, photo, BALL, "--png", png, "--html", html, "--json", "--pairs", 2)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["method"] == "exact" and answer["error"] < 1e-5
    assert len(answer["pairs"]) <= 2
    assert (answer["png"], answer["html"]) == (str(png), str(html))
    assert png.read_bytes()[:4] == b"\x89PNG" and html.read_text(encoding="utf-8").startswith(
        "<!doctype html>"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [((BALL, "no-such-item"), 1, "no-such-item"), ((BALL, BALL, "--pairs", "99"), 2, "0 to 20")],
)
def test_explain_fails_with_the_reason(
    shop_folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run("explain", shop_folder, *arguments)
    assert done.returncode == code
    assert said in done.stderr


def test_layers_lists_the_strongest_channels_and_writes_the_picture(sample: Path, tmp_path: Path) -> None:
    photo = sample / "customer" / "BlendSwapCC0-basketball_0.jpg"
    done = run(
        "layers",
        photo,
        "--layer",
        "stem",
        "--layer",
        "head",
        "--channels",
        3,
        "--png",
        tmp_path / "l.png",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [layer["layer"] for layer in answer["layers"]] == ["stem", "head"]
    assert [len(layer["channels"]) for layer in answer["layers"]] == [3, 3]
    assert (tmp_path / "l.png").read_bytes()[:4] == b"\x89PNG"
    table = run("layers", photo, "--layer", "head")
    assert "head" in table.stdout and "--html FILE" in table.stderr
