"""Explaining: why two images of a collection, or any two images, are similar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from lookalike.collection.base import CollectionBase
from lookalike.collection.choosing import choose_encoder
from lookalike.collection.embedding import Picture
from lookalike.collection.explanation import ExplainedImage, Explanation, Method, RegionPair
from lookalike.collection.pictures import PictureReader, Pixels, as_crop, read_picture
from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.geometry import geometry
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import InputError
from lookalike.images.decode import Limits
from lookalike.types import Crop, Embeddings
from lookalike.vectors.metrics import inner, normalise

if TYPE_CHECKING:
    from lookalike.tasks.explain import Match
    from lookalike.vectors.reduction import Reducer

Wanted = Literal["auto", "exact", "occlusion"]
METHODS: tuple[Wanted, ...] = get_args(Wanted)

MOST_PAIRS = 20


class Explaining(CollectionBase):
    """Explains similarities."""

    def explain(
        self,
        a: Picture,
        b: Picture,
        *,
        method: Wanted = "auto",
        pairs: int = 5,
        crop: Crop | Sequence[float] | str | None = None,
    ) -> Explanation:
        """Where two images look alike.

        Both pictures go through the network again, items too: what is explained is the cosine that search
        compares them by, with the collection's reducer where it has one. An item whose original cannot be read
        any more is explained on its thumbnail, and the answer says so.

        Args:
            a, b: An item's id, a path or URL, encoded bytes, or uint8 (h, w, 3) pixels.
            method: ``exact``: every cell's share of the cosine, which sum to it; takes two passes of the network,
                for poolings that are sums over places (``gap``, ``gem``, ``max``, ``tokens-mean``).
                ``occlusion``: what covering a cell costs, 64 passes for each image; works with every encoder.
                ``auto``: exact where it can be.
            pairs: Most pairs of matching regions, 0 to 20.
            crop: The region (x, y, width, height) of the first image to look at, in pixels or, when all are at
                most 1, fractions.

        Returns:
            The similarity, the shares on both images, and the regions that match best.

        Raises:
            ImageError: If a picture cannot be read.
            InputError: If an argument is wrong, or ``exact`` was asked of an encoder that has no exact shares.

        Example:
            >>> why = shop.explain("catalog/chair_0.jpg", "snapshot.jpg")
            >>> why.similarity, why.a.heat.shape, why.pairs[0].a
            (0.71, (384, 384), (54, 109, 151, 206))
            >>> why.save_html("why.html")
        """
        _check(method, pairs)
        encoder = self.encoder
        gallery = self._gallery
        active = gallery.reducer
        if active is not None and active.fingerprint != encoder.spec.fingerprint:
            active = None  # a migration has just switched, and left the reducer behind
        reader = PictureReader(self._store, encoder.spec, self._limits)
        pictures = (reader.read(a, as_crop(crop)), reader.read(b))
        stored = None
        rows = [picture.row for picture in pictures]
        if crop is None and rows[0] is not None and rows[1] is not None:
            kept = [gallery.vectors(np.array([row])) for row in rows]
            if all(len(each) for each in kept):  # else one was removed meanwhile
                stored = float(inner(*kept)[0, 0])
        provenance: dict[str, Any] = {"collection": self.path, "version": self._store.version()}
        if active is not None:
            centred = active.space.reducer.reference == "centred"
            provenance["reducer"] = {"version": active.version, "centred": centred, **active.space.describe()}
        reducer = None if active is None else active.space.reducer
        return _explain(encoder, pictures, method, pairs, reducer, stored, provenance)


def explain_images(
    a: Picture,
    b: Picture,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    method: Wanted = "auto",
    pairs: int = 5,
    crop: Crop | Sequence[float] | str | None = None,
    limits: Limits | None = None,
) -> Explanation:
    """Where two images look alike, without a collection; see ``Collection.explain``.

    Args:
        a, b: A path or URL, encoded bytes, or uint8 (h, w, 3) pixels.
        encoder: Name (see :func:`lookalike.list_encoders`) or a loaded encoder.
        layer, pooling, resize: Where not the encoder's defaults.
        method, pairs, crop: As for ``Collection.explain``.
        limits: Largest image accepted; 50 megapixels by default.

    Raises:
        ImageError: If a picture cannot be read.
        InputError: If an argument is wrong.
    """
    _check(method, pairs)
    network = choose_encoder(encoder, layer, pooling, resize)
    pictures = (
        read_picture(a, network.spec, crop=as_crop(crop), limits=limits),
        read_picture(b, network.spec, limits=limits),
    )
    return _explain(network, pictures, method, pairs, None, None, {})


def _check(method: str, pairs: int) -> None:
    if method not in METHODS:
        raise InputError(f"method {method!r} is not known: choose one of {', '.join(METHODS)}")
    if isinstance(pairs, bool) or not isinstance(pairs, int | np.integer) or not 0 <= pairs <= MOST_PAIRS:
        raise InputError(f"pairs = {pairs}: expected a whole number from 0 to {MOST_PAIRS}")


def _explain(
    encoder: Encoder,
    pictures: tuple[Pixels, Pixels],
    wanted: Wanted,
    count: int,
    reducer: Reducer | None,
    stored: float | None,
    provenance: Mapping[str, Any],
) -> Explanation:
    spec = encoder.spec
    inputs = [encoder.prepare(picture.pixels) for picture in pictures]
    encodings = list(encoder.encode(inputs, spatial=True))
    method = _method(wanted, encoder, encodings)
    full = normalise(np.stack([encoding.raw_embedding for encoding in encodings]))
    compared = full if reducer is None else reducer.transform(full)
    similarity = _cosine(compared)
    if method == "exact":
        shares = _exact(encodings, spec.pooling, reducer)
    else:
        shares = [
            _occluded(encoder, inputs[0], compared[1], similarity, reducer),
            _occluded(encoder, inputs[1], compared[0], similarity, reducer),
        ]
    images = [_explained(encoder, *each) for each in zip(pictures, shares, strict=True)]
    error = max(abs(float(map_.sum()) - similarity) for map_ in shares) if method == "exact" else None
    return Explanation(
        a=images[0],
        b=images[1],
        similarity=similarity,
        full_similarity=_cosine(full),
        stored_similarity=stored,
        method=method,
        error=error,
        pairs=_pairs(encoder, encodings, images, reducer, count),
        provenance={
            "encoder": spec.name,
            "fingerprint": spec.fingerprint,
            "layer": spec.layer,
            "pooling": spec.pooling,
            "resize": spec.resize,
            **provenance,
            "method": method,
            "cells": [list(map_.shape) for map_ in shares],
        },
    )


def _method(wanted: Wanted, encoder: Encoder, encodings: Sequence[Encoding]) -> Method:
    from lookalike.tasks.explain import DECOMPOSABLE

    lacking = ""
    if encoder.spec.pooling not in DECOMPOSABLE:
        lacking = (
            f"its pooling {encoder.spec.pooling!r} is no sum over places ({', '.join(DECOMPOSABLE)} are)"
        )
    elif any(encoding.spatial is None for encoding in encodings):
        lacking = "its layer gives no map of places"
    if wanted == "exact" and lacking:
        raise InputError(
            f"encoder {encoder.spec.name}, layer {encoder.spec.layer}, has no exact shares: {lacking}. "
            "Use method='occlusion', or another layer or pooling"
        )
    if wanted == "auto":
        return "occlusion" if lacking else "exact"
    return wanted


def _exact(encodings: Sequence[Encoding], pooling: Pooling, reducer: Reducer | None) -> list[Any]:
    from lookalike.tasks.explain import attribute

    parts = [_summands(encoding, pooling, reducer) for encoding in encodings]
    found = attribute(parts[0], parts[1])
    return [found.a, found.b]


def _summands(encoding: Encoding, pooling: Pooling, reducer: Reducer | None) -> Any:
    from lookalike.tasks.explain import summands

    assert encoding.spatial is not None
    if reducer is None:
        return summands(encoding.spatial, pooling)
    return summands(encoding.spatial, pooling, mean=reducer.mean, matrix=reducer.matrix)


def _occluded(
    encoder: Encoder, network_input: Any, other: Embeddings, similarity: float, reducer: Reducer | None
) -> Any:
    """Drops of one image's similarity with the other's vector."""
    from lookalike.tasks.occlusion import covered, drops

    similarities = []
    for encoding in encoder.encode(covered(network_input)):
        vector = normalise(encoding.raw_embedding)[None]
        compared = vector if reducer is None else reducer.transform(vector)
        similarities.append(_cosine(np.concatenate([compared, other[None]])))
    return drops(similarity, similarities)


def _cosine(two: Embeddings) -> float:
    return float(inner(two[:1], two[1:])[0, 0])


def _explained(encoder: Encoder, picture: Pixels, shares: Any) -> ExplainedImage:
    height, width = picture.pixels.shape[:2]
    where = geometry(width, height, encoder.spec)
    border = float((shares * (1 - where.shown(*shares.shape))).sum())
    return ExplainedImage(picture, where, shares, border)


def _pairs(
    encoder: Encoder,
    encodings: Sequence[Encoding],
    images: Sequence[ExplainedImage],
    reducer: Reducer | None,
    count: int,
) -> tuple[RegionPair, ...]:
    """Regions that match; where the vector is no sum over places, they are found by the mean of the places."""
    from lookalike.tasks.explain import DECOMPOSABLE, matches

    maps = [encoding.spatial for encoding in encodings]
    if any(map_ is None for map_ in maps):
        return ()
    additive = encoder.spec.pooling in DECOMPOSABLE
    parts = [
        _summands(encoding, encoder.spec.pooling, reducer) if additive else _summands(encoding, "gap", None)
        for encoding in encodings
    ]
    shown = [image.geometry.shown(*part.shape[:2]) for image, part in zip(images, parts, strict=True)]
    found: list[Match] = matches(parts[0], parts[1], count=count, shown_a=shown[0], shown_b=shown[1])
    return tuple(
        RegionPair(
            images[0].box(match.a),
            images[1].box(match.b),
            match.likeness,
            match.contribution if additive else None,
        )
        for match in found
    )
