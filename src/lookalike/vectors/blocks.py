"""Work on blocks that do not depend on each other, and the seam where it may leave the process.

Who asks for many blocks says what is done with each, what all of them need, and gets the answers in order. Here the
work is done one after the other in this process; :mod:`lookalike.ingest.ray_blocks` does it on the machines of a
cluster. The answers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol, TypeVar

Cores = Literal["one", "all"]
"""What the work on a block takes of a machine: one core, or all, where it runs threads of its own."""

Shared = TypeVar("Shared")
Block = TypeVar("Block")
Answer = TypeVar("Answer")


class MapBlocks(Protocol):
    """Does work on blocks."""

    def __call__(
        self,
        work: Callable[[Shared, Block], Answer],
        shared: Shared,
        blocks: Iterable[Block],
        *,
        cores: Cores = "one",
    ) -> Iterator[Answer]:
        """Work on blocks, and give the answers in the order of the blocks.

        Args:
            work: A function of a module, without effects. It may be called in another process, and again for the same
                block when a machine is lost.
            shared: What the work on every block needs; may be pickled, once, so it must not be changed meanwhile.
            blocks: Pulled lazily, in the calling thread, with a bounded number ahead of the answers; may be pickled.
            cores: What the work on one block takes.
        """


def in_process(
    work: Callable[[Shared, Block], Answer],
    shared: Shared,
    blocks: Iterable[Block],
    *,
    cores: Cores = "one",  # noqa: ARG001 - here every call has the machine for itself
) -> Iterator[Answer]:
    """One block after the other, in this process; see :meth:`MapBlocks.__call__`."""
    for block in blocks:
        yield work(shared, block)
