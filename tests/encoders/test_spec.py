from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.encoders import POOLINGS, RESIZES, EncoderSpec
from lookalike.errors import EncoderError, InputError

numbers = st.floats(0.1, 255.0)
levels = st.integers(0, 255)
SPECS = st.builds(
    EncoderSpec,
    name=st.text(min_size=1, max_size=20),
    weights=st.text("0123456789abcdef", min_size=64, max_size=64),
    layer=st.text(min_size=1, max_size=20),
    pooling=st.sampled_from(POOLINGS),
    resize=st.sampled_from(RESIZES),
    height=st.integers(1, 1024),
    width=st.integers(1, 1024),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
    crop_fraction=st.floats(0.1, 1.0),
    fill=st.tuples(levels, levels, levels),
    mean=st.tuples(numbers, numbers, numbers),
    std=st.tuples(numbers, numbers, numbers),
    dimensions=st.integers(1, 4096),
)


@given(SPECS)
def test_a_spec_survives_json(spec: EncoderSpec) -> None:
    again = EncoderSpec.from_json(spec.to_json())
    assert again == spec
    assert again.fingerprint == spec.fingerprint


@given(SPECS, st.text(min_size=1))
def test_the_name_does_not_change_the_fingerprint(spec: EncoderSpec, name: str) -> None:
    assert replace(spec, name=name).fingerprint == spec.fingerprint


@given(SPECS, SPECS)
def test_every_other_field_changes_the_fingerprint(spec: EncoderSpec, other: EncoderSpec) -> None:
    for field in fields(EncoderSpec):
        value = getattr(other, field.name)
        if field.name not in ("name", "precision") and value != getattr(spec, field.name):
            assert replace(spec, **{field.name: value}).fingerprint != spec.fingerprint, field.name


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}', "null"])
def test_what_is_not_a_spec_is_refused(text: str) -> None:
    with pytest.raises(EncoderError, match="spec"):
        EncoderSpec.from_json(text)


@given(SPECS)
def test_an_unknown_pooling_is_refused_with_the_valid_ones(spec: EncoderSpec) -> None:
    with pytest.raises(InputError, match="tokens-mean"):
        replace(spec, pooling="median")
