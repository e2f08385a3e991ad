"""Work on blocks, done by the machines of a Ray cluster.

What all blocks need goes to each machine once, through Ray's object store; NumPy arrays in it are read there in place.
The blocks follow with the tasks. So workers need neither the collection nor its keys, and any collection will do, also
one in a folder of this machine. A task whose worker or machine is lost is run again elsewhere, by Ray; since the work
has no effects, the answer is the same.
"""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import lookalike
from lookalike.errors import InputError, LookalikeError, ServiceError, StoreError
from lookalike.ingest.ray_machines import ClusterWatch, check_gpus
from lookalike.ingest.ray_session import engine, session
from lookalike.vectors.blocks import Cores, MapBlocks, in_process

Shared = TypeVar("Shared")
Block = TypeVar("Block")
Answer = TypeVar("Answer")

RETRIES = 3
"""Of a block whose worker or machine was lost."""

AHEAD = 2
"""Blocks in flight for each that can be worked on at a time: the next one is there when one is done."""


@contextmanager
def blocks_on(on: str | None, gpus: float = 0.0) -> Iterator[MapBlocks]:
    """What works on blocks: this process, or a Ray cluster for the length of the block.

    Args:
        on: None: this process. Otherwise see :func:`lookalike.ingest.ray_session.address_of`.
        gpus: Of each block on Ray; a fraction shares one.

    Raises:
        InputError: If ``on`` is not known, or ``gpus`` cannot be had.
        MissingExtra: If Ray is not installed.
        ServiceError: If the cluster cannot be reached.
    """
    check_gpus(gpus)
    if on is None:
        if gpus:
            raise InputError(f"gpus {gpus:g} are those of a cluster: add on='ray', or leave them out")
        yield in_process
        return
    with session(on):
        yield RayBlocks(engine(), gpus)


class RayBlocks:
    """Works on blocks by the Ray that this process is connected to; a :class:`MapBlocks`.

    Work that takes all cores of a machine is done to its end before its first answer is given: were other work made of
    its answers meanwhile, tasks of one core would keep it from ever finding a machine with all cores free.

    Args:
        ray: The module, initialised.
        gpus: That each block takes beside its cores; a fraction shares one. Without, work sees none.
    """

    def __init__(self, ray: Any, gpus: float = 0.0) -> None:
        self._ray, self._gpus = ray, gpus
        self._cluster = ClusterWatch()

    def __call__(
        self,
        work: Callable[[Shared, Block], Answer],
        shared: Shared,
        blocks: Iterable[Block],
        *,
        cores: Cores = "one",
    ) -> Iterator[Answer]:
        """See :meth:`MapBlocks.__call__`.

        Raises:
            LookalikeError: As the work raised it.
            ServiceError: If a block's workers were lost again and again, or a worker failed otherwise.
        """
        answers: Iterator[Answer] = self._answers(work, shared, blocks, cores)
        return iter(list(answers)) if cores == "all" else answers

    def _answers(self, work: Any, shared: Any, blocks: Iterable[Any], cores: Cores) -> Iterator[Any]:
        per_machine = self._cluster().least_cores if cores == "all" else 1
        task = self._ray.remote(
            num_cpus=per_machine,
            num_gpus=self._gpus,
            max_retries=RETRIES,
            max_calls=0,  # of a process, without end: with GPUs it would be one, and every block load its network
        )(_worked)
        # in a list it stays a reference, and a process that has it already does not read it again
        held = [self._put(shared)]
        key, waiting = uuid.uuid4().hex, deque[Any]()
        try:
            for block in blocks:
                waiting.append(task.remote(lookalike.__version__, key, held, work, block, self._gpus))
                while len(waiting) >= AHEAD * max(1, self._cluster().room(per_machine, self._gpus)):
                    yield self._answer(waiting.popleft())
            while waiting:
                yield self._answer(waiting.popleft())
        finally:
            for reference in waiting if self._ray.is_initialized() else ():
                self._ray.cancel(reference)

    def _put(self, shared: Any) -> Any:
        """A reference to what every machine gets once."""
        try:
            return self._ray.put(shared)
        except self._ray.exceptions.RayError as error:
            raise ServiceError(
                f"the Ray cluster does not take what every block needs ({type(error).__name__}): give this machine's "
                "object store more memory, or room on its disk to spill to, then repeat the call"
            ) from error

    def _answer(self, reference: Any) -> Any:
        """A task's answer, or what it raised."""
        exceptions = self._ray.exceptions
        try:
            answer = self._ray.get(reference)
        except exceptions.RayTaskError as error:
            raise ServiceError(f"a worker of the Ray cluster failed: {error.cause!r}") from error
        except exceptions.RayError as error:
            raise ServiceError(
                f"a block's worker on the Ray cluster was lost {RETRIES + 1} times, or the cluster itself "
                f"({type(error).__name__}): look for machines that run out of memory (ray status, and ray logs on the "
                "head), then repeat the call"
            ) from error
        if isinstance(answer, _Raised):
            raise answer.error()
        return answer


class _Raised:
    """An error of ours on its way to the driver; some of them could not be pickled, since they are made of parts."""

    def __init__(self, error: LookalikeError) -> None:
        self._kind, self._said, self._about = type(error), error.args, dict(vars(error))

    def error(self) -> LookalikeError:
        """The error itself."""
        again = self._kind.__new__(self._kind, *self._said)
        vars(again).update(self._about)
        return again


_shared: tuple[str, Any] = ("", None)
"""What the blocks that this worker works on need, and its key: read once, not for each block."""


def _worked(
    version: str, key: str, held: list[Any], work: Callable[[Any, Any], Any], block: Any, gpus: float
) -> Any:
    """The task: work on one block, in a worker."""
    global _shared
    if not gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # else networks of all cores would fill the GPUs' memory
    try:
        if version != lookalike.__version__:
            raise StoreError(
                f"the Ray cluster's machines run lookalike {lookalike.__version__}, and it was called from {version}: "
                "install the same version on all of them"
            )
        if _shared[0] != key:
            _shared = ("", None)  # let go of the old before there is the new
            _shared = (key, engine().get(held[0]))
        return work(_shared[1], block)
    except LookalikeError as error:
        return _Raised(error)
