"""The capabilities of a collection are classes of their own: none may hide a name of another."""

from __future__ import annotations

from collections import defaultdict

from lookalike import Collection


def test_no_capability_hides_a_name_of_another() -> None:
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for capability in Collection.__mro__[:-1]:
        for name in vars(capability):
            if not name.startswith("__"):
                owners[name].append(capability.__name__)
    assert {name: found for name, found in owners.items() if len(found) > 1} == {}
