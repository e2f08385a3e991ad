"""``--gpus``: a part of a GPU for each worker on Ray, and refused where there is no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.cli import care_grammar, filling_grammar
from lookalike.cli.care import migrate
from lookalike.cli.filling import index
from lookalike.cli.grammar import Parser
from lookalike.collection.facade import Collection
from lookalike.errors import InputError


def parser() -> Parser:
    made = Parser(prog="lookalike")
    commands = made.add_subparsers(required=True)
    care_grammar.add(commands)
    filling_grammar.add(commands)
    return made


def test_it_takes_a_part_of_one() -> None:
    options = parser().parse_args(["index", "photos", "--to", "s.lance", "--on", "ray", "--gpus", "0.25"])
    assert (options.on, options.gpus) == ("ray", 0.25)
    options = parser().parse_args(["migrate", "s.lance", "--encoder", "timm:resnet18", "--gpus", "0.5"])
    assert options.gpus == 0.5


def test_it_is_refused_without_a_cluster(shop: Collection, pictures: Path) -> None:
    options = parser().parse_args(["index", str(pictures), "--to", shop.path, "--gpus", "0.5"])
    with pytest.raises(InputError, match="add on='ray'"):
        index(options)
    options = parser().parse_args(["migrate", shop.path, "--encoder", "efficientnet-lite2", "--gpus", "1"])
    with pytest.raises(InputError, match="add on='ray'"):
        migrate(options)


@pytest.mark.parametrize("gpus", ["-1", "1.5", "nan", "inf"])
def test_gpus_that_ray_cannot_give_are_refused(shop: Collection, gpus: str) -> None:
    options = parser().parse_args(
        ["migrate", shop.path, "--encoder", "efficientnet-lite2", "--on", "ray", f"--gpus={gpus}"]
    )
    with pytest.raises(InputError, match="a fraction of one"):
        migrate(options)
