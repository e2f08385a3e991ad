"""Work on blocks as another process would do it: everything that goes there and comes back is pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lookalike.vectors.blocks import Cores


class PickledBlocks:
    """A :class:`lookalike.vectors.blocks.MapBlocks` that notes what it was asked for."""

    def __init__(self) -> None:
        self.works: list[tuple[str, Cores]] = []

    def __call__(
        self, work: Callable[[Any, Any], Any], shared: Any, blocks: Iterable[Any], *, cores: Cores = "one"
    ) -> Iterator[Any]:
        self.works.append((work.__qualname__, cores))
        there, work = _sent(shared), _sent(work)
        return (_sent(work(there, _sent(block))) for block in blocks)


def _sent(value: Any) -> Any:
    """What arrives: arrays that cannot be written to, as those that processes share."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[memoryview(buffer.raw()).toreadonly() for buffer in buffers])
