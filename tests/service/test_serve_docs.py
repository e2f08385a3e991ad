"""What docs/serve.md shows works as printed."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lookalike.cli import serving_grammar
from lookalike.cli.grammar import Parser
from lookalike.collection import Collection
from lookalike.service.app import create_app

TEXT = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]
COMMANDS = [line for line in LINES if line.startswith("lookalike ")]
CURLS = [line for line in LINES if line.startswith("curl ")]


def parser() -> argparse.ArgumentParser:
    made = Parser(prog="lookalike")
    serving_grammar.add(made.add_subparsers(required=True))
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one(command: str) -> None:
    assert parser().parse_args(shlex.split(command)[1:]).command


def test_every_option_in_a_table_is_one() -> None:
    for line in TEXT.splitlines():
        if line.startswith("| `--"):
            for option in re.findall(r"`(--[a-z-]+)`", line.split("|")[1]):
                parser().parse_args(["serve", "x", option, "1"])


@pytest.mark.parametrize("command", CURLS)
def test_every_request_is_answered(command: str, shop: Collection, sample: Path) -> None:
    client = TestClient(create_app({"shop": shop}), base_url="http://127.0.0.1:8000")
    photo = next((sample / "customer").glob("*.jpg")).read_bytes()
    words = shlex.split(command)[1:]
    fields = [words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-F"]
    files = [(name, (value[1:], photo, "image/jpeg")) for name, value in fields if value.startswith("@")]
    data = {name: value for name, value in fields if not value.startswith("@")}
    answer = client.post(words[-1], files=files, data=data) if files else client.get(words[-1])
    assert answer.status_code == 200, answer.text


def test_the_documented_attributes_of_the_widget_are_the_widgets() -> None:
    script = TestClient(create_app({})).get("/widget.js").text
    read = set(re.findall(r"options\.([a-zA-Z]+)", script))
    table = TEXT.partition("| attribute |")[2].partition("\n\n")[0]
    documented = {
        re.sub(r"-([a-z])", lambda match: match[1].upper(), name)
        for name in re.findall(r"`data-([a-z-]+)`", table)
    }
    assert documented == read
