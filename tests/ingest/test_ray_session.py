"""What an ``on`` means, without Ray."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.ingest.ray_session import address_of, is_elsewhere


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


def test_only_the_work_of_a_named_cluster_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert [is_elsewhere(on) for on in (None, "ray", "ray://head:10001")] == [False, False, True]
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert [is_elsewhere(on) for on in (None, "ray", "ray://head:10001")] == [False, True, True]


@pytest.mark.parametrize(
    "on", ["", "Ray", "spark", "ray://", "ray://head", "ray://head:0", "ray://head:70000", "head:10001", None]
)
def test_anything_else_is_refused_with_what_is_known(on: str) -> None:
    with pytest.raises(InputError, match="expected 'ray'"):
        address_of(on)
