"""One indexing run on a collection: what is refused up front, who owns which name, the failure report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lookalike.collection.progress import add_progress
from lookalike.encoders.base import Encoder
from lookalike.errors import InputError, SourceError
from lookalike.images.decode import Limits
from lookalike.images.scan import ResolvedSource
from lookalike.ingest.attributes import AttributeTable
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.pipeline import Ingest, Progress
from lookalike.ingest.ray_session import address_of, is_elsewhere, session
from lookalike.store.base import Store
from lookalike.store.galleries import Galleries

FAILURE_REPORT = "failures.jsonl"
"""In the collection's folder: what could not become an item in the last run."""


def run_indexing(
    store: Store,
    galleries: Galleries,
    encoder: Encoder,
    sources: Sequence[ResolvedSource],
    *,
    attributes: AttributeTable | None,
    limits: Limits,
    prune: bool,
    workers: int | tuple[int, int] | None,
    progress: bool | Callable[[Progress], None],
    report: Path,
    on: str | None = None,
    gpus: float = 0.0,
) -> Ledger:
    """Bring a store and its galleries up to date with sources; arguments and promises as in ``Collection.add``.

    Args:
        report: Where the failures are written, also when the run ends early.
        on, gpus: Of a Ray cluster; None: in this process.
    """
    _refuse_names_of_others(store, sources)
    if attributes is not None:
        _refuse_text_in_numbers(store, attributes)
    claimed = False
    # the driver of a cluster need not have room for all vectors: who searches reads them
    derives = galleries.is_elsewhere() or not is_elsewhere(on)
    with add_progress(progress, sources) as show:

        def acknowledged(state: Progress) -> None:
            nonlocal claimed
            if not claimed:
                _claim(store, sources)
                claimed = True
            if derives:
                galleries.current().extend()
            show(state)

        with _ingest(store, encoder, attributes, limits, workers, acknowledged, on=on, gpus=gpus) as run:
            try:
                ledger = run.run(sources, prune=prune)
            finally:
                run.ledger.write_report(report)
        if claimed:  # again, since another process may have compacted before there was an item of the name
            _claim(store, sources)
    if derives:
        galleries.current().save()
    return ledger


@contextmanager
def _ingest(
    store: Store,
    encoder: Encoder,
    attributes: AttributeTable | None,
    limits: Limits,
    workers: int | tuple[int, int] | None,
    progress: Callable[[Progress], None],
    *,
    on: str | None,
    gpus: float,
) -> Iterator[Ingest]:
    """A run in this process, or on Ray, which is connected to for the length of the block."""
    if on is None:
        if gpus or isinstance(workers, tuple):
            raise InputError(
                f"gpus {gpus:g} and workers {workers} speak of a cluster: add on='ray', or give workers as the number "
                "of decode threads and no gpus"
            )
        yield Ingest(store, encoder, attributes=attributes, limits=limits, workers=workers, progress=progress)
        return
    address_of(on)
    from lookalike.ingest.ray_pipeline import RayIngest, shared_store
    from lookalike.ingest.ray_pool import Workers

    shared_store(store)
    size = Workers(workers, gpus)
    with session(on):
        yield RayIngest(store, encoder, attributes=attributes, limits=limits, workers=size, progress=progress)


def _refuse_names_of_others(store: Store, sources: Sequence[ResolvedSource]) -> None:
    """A name stands for one place, as long as that place is there."""
    names = store.sources()
    for source in sources:
        held = names.get(source.name)
        if held is not None and held != source.uri and ("://" in held or Path(held).exists()):
            raise SourceError(
                f"ids that begin with {source.name!r} belong to {held}, so those of {source.uri} would collide: "
                "give one of them another name with --prefix NAME (prefix= in Python)"
            )


def _claim(store: Store, sources: Sequence[ResolvedSource]) -> None:
    """Note which place each name stands for; only once there are items, so that a failed run claims nothing."""
    names = store.sources()
    for source in sources:
        if names.get(source.name) != source.uri:
            store.set_source(source.name, source.uri)


def _refuse_text_in_numbers(store: Store, attributes: AttributeTable) -> None:
    """One cell such as "n/a" would turn numbers of the whole collection into text, and filters on them into errors."""
    held = store.schema()
    for name, kind in attributes.types.items():
        before = held.get(name)
        if kind == "text" and before in ("integer", "number", "boolean"):
            key, cell = attributes.first_text(name)
            raise InputError(
                f"attribute {name!r} is {before} in the collection, but the table has {cell!r} for {key!r}: correct "
                "the cell, leave it empty, or give the column another name; nothing was indexed"
            )
