"""What an ``on`` means, without Ray."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.ingest.ray_session import address_of


@pytest.mark.parametrize(
    ("on", "address"),
    [
        ("ray", None),
        ("ray://head:10001", "ray://head:10001"),
        ("ray://10.0.0.3:10001/", "ray://10.0.0.3:10001"),
        ("ray://[fe80::1]:10001", "ray://[fe80::1]:10001"),
    ],
)
def test_an_on_names_this_machine_or_the_head_of_a_cluster(on: str, address: str | None) -> None:
    assert address_of(on) == address


@pytest.mark.parametrize(
    "on", ["", "Ray", "spark", "ray://", "ray://head", "ray://head:0", "ray://head:70000", "head:10001", None]
)
def test_anything_else_is_refused_with_what_is_known(on: str) -> None:
    with pytest.raises(InputError, match="expected 'ray'"):
        address_of(on)
