"""A progress bar on stderr for people; silence for everything else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from lookalike.errors import LookalikeError
from lookalike.images.folders import FolderSource
from lookalike.images.scan import ResolvedSource
from lookalike.ingest.pipeline import Progress


@contextmanager
def add_progress(
    progress: bool | Callable[[Progress], None], sources: Sequence[ResolvedSource]
) -> Iterator[Callable[[Progress], None]]:
    """What to call after every batch of an indexing run.

    Args:
        progress: A function is called as it is; True draws counts, rate and time left when stderr is a terminal.
        sources: Counted in the background, so that there is a total to compare with.
    """
    if callable(progress):
        yield progress
    elif not progress or not sys.stderr.isatty():
        yield lambda _: None
    else:
        with _bar("indexing", total=None) as (advance, describe):
            count = _Count(sources)

            def show(state: Progress) -> None:
                ledger = state.ledger
                failed = f", [red]{ledger.failed} failed[/red]" if ledger.failed else ""
                describe(
                    f"{ledger.added} added, {ledger.updated} updated, {ledger.unchanged} unchanged{failed}"
                )
                advance(ledger.accounted, count.total)

            try:
                yield show
            finally:
                count.stop()


def ignore(_done: int, _total: int) -> None:
    """Where nobody watches."""


class _Count:
    """Counts the files of local folders on a thread of its own; ``total`` is None until it is done.

    Other sources are not counted: that would read a video or an archive twice.
    """

    def __init__(self, sources: Sequence[ResolvedSource]) -> None:
        self.total: int | None = None
        self._stopped = False
        self._sources = sources
        if all(isinstance(source, FolderSource) and "://" not in source.uri for source in sources):
            threading.Thread(target=self._run, name="lookalike-count", daemon=True).start()

    def _run(self) -> None:
        count = 0
        try:
            for source in self._sources:
                for _ in source.candidates():
                    count += 1
                    if self._stopped:
                        return
        except LookalikeError:
            return  # the run itself meets the same error and reports it
        self.total = count

    def stop(self) -> None:
        """Give up counting."""
        self._stopped = True


def step_progress(what: str, progress: bool | Callable[[int, int], None]) -> Callable[[int, int], None]:
    """What to call with (steps done, steps); True names each step on stderr when that is a terminal."""
    if callable(progress):
        return progress
    if not progress or not sys.stderr.isatty():
        return ignore
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        if done > told:
            told = done
            print(f"{what}: step {done + 1} of {total}", file=sys.stderr)  # noqa: T201

    return tell


@contextmanager
def count_progress(
    what: str, progress: bool | Callable[[int, int], None]
) -> Iterator[Callable[[int, int], None]]:
    """What to call with (done, total); True draws a bar when stderr is a terminal."""
    if callable(progress):
        yield progress
    elif not progress or not sys.stderr.isatty():
        yield ignore
    else:
        with _bar(what, total=None) as (advance, _):
            yield advance


@contextmanager
def _bar(
    what: str, *, total: int | None
) -> Iterator[tuple[Callable[[int, int | None], None], Callable[[str], None]]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        """Images a second since the start."""

        def render(self, task: Task) -> Text:
            rate = task.completed / task.elapsed if task.elapsed else 0
            return Text(f"{rate:.0f}/s", style="cyan")

    columns = (
        SpinnerColumn(),
        TextColumn(what),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as rich:
        task = rich.add_task("", total=total)
        yield (
            lambda done, of: rich.update(task, completed=done, total=of),
            lambda text: rich.update(task, description=text),
        )
