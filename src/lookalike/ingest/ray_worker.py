"""What a worker of a Ray cluster does with a batch of pictures; plain Python, so that it runs without Ray too."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lookalike
from lookalike.encoders.registry import encoder_from_spec
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import ImageError, LookalikeError
from lookalike.images.decode import Limits
from lookalike.images.storage import is_url
from lookalike.ingest.looking import Looked, Pending, look, record_of
from lookalike.ingest.ray_machines import unused_gpus
from lookalike.ingest.stream import encode_stream
from lookalike.store.lance_batches import Destination, WrittenItems, write_items
from lookalike.types import AttributeValue, Image, Record


@dataclass(frozen=True, slots=True)
class Errand:
    """A picture that a worker has to look at.

    Args:
        pending: A pickled :class:`Pending`; its bytes travel along where no worker can read them by itself, such as
            those of a member of a compressed archive.
        attributes: Values that belong to its id.
    """

    pending: bytes
    attributes: Mapping[str, AttributeValue] | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of errands, by their numbers in the batch.

    Args:
        records: To be written.
        same: Whose bytes are those of the item that is there.
        failures: What cannot become an item, and why.
    """

    records: tuple[tuple[int, Record], ...] = ()
    same: tuple[int, ...] = ()
    failures: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch.

    Args:
        written: Where its records are; None if there are none. They belong to the collection once the driver commits
            them.
        embedded: As above, without the records.
    """

    written: WrittenItems | None
    embedded: Embedded


def errand(pending: Pending, attributes: Mapping[str, AttributeValue] | None = None) -> Errand:
    """Make a candidate ready to travel.

    Raises:
        ImageError: If its picture has to be read here, and cannot be.
    """
    try:
        data = pickle.dumps(pending)
    except (
        TypeError,
        AttributeError,
        NotImplementedError,
        pickle.PicklingError,
    ):  # a frame of a video that is open here
        read = _Read(pending.candidate.load())
        data = pickle.dumps(replace(pending, candidate=replace(pending.candidate, load=read)))
    return Errand(data, attributes)


class _Read:
    """A picture that was read already."""

    def __init__(self, data: bytes | Image) -> None:
        self._data = data

    def __call__(self) -> bytes | Image:
        return self._data


class EmbeddingWorker:
    """Decodes, embeds and writes batches, with the code of a local run.

    Args:
        version: Of the driver's lookalike.
        spec: Of the encoder, as JSON.
        limits: Largest image accepted.
        threads: For decoding, and for the network where it runs on a CPU.
    """

    def __init__(self, version: str, spec: str, limits: Limits, threads: int) -> None:
        self._version, self._spec = version, EncoderSpec.from_json(spec)
        self._limits, self._threads = limits, threads

    def problem(self, to: Destination) -> str | None:
        """Load the encoder and look for the collection; why this worker cannot work, or None."""
        if self._version != lookalike.__version__:
            return (
                f"it has lookalike {lookalike.__version__}, and the driver {self._version}: install one version on "
                "all machines"
            )
        if not is_url(to.uri) and not Path(to.uri).is_dir():
            return (
                f"it does not see {to.uri}: put the collection where all machines reach it, such as "
                "s3://BUCKET/NAME.lance or a folder that all of them mount"
            )
        try:
            self._encoder = encoder_from_spec(self._spec, threads=self._threads)
        except LookalikeError as error:
            return f"{error}"
        return None

    def embed(self, errands: Sequence[Errand]) -> Embedded:
        """Decode and embed pictures."""
        records: list[tuple[int, Record]] = []
        same: list[int] = []
        failures: list[tuple[int, str]] = []
        numbers: dict[str, int] = {}

        def prepare(number: int) -> Looked:
            pending: Pending = pickle.loads(errands[number].pending)
            numbers[pending.candidate.id] = number
            return look(pending, self._encoder, self._limits)

        def settle(looked: Looked) -> None:
            number = numbers[looked.pending.candidate.id]
            if looked.failure is None:
                same.append(number)
            else:
                failures.append((number, looked.failure))

        stream = encode_stream(
            self._encoder, range(len(errands)), prepare, aside=settle, workers=self._threads
        )
        for looked, encoding in stream:
            number = numbers[looked.pending.candidate.id]
            try:
                made = record_of(looked, encoding, self._encoder, errands[number].attributes)
                records.append((number, made))
            except ImageError as error:
                failures.append((number, str(error)))
        return Embedded(tuple(records), tuple(same), tuple(failures))

    def write(self, to: Destination, embedded: Embedded) -> Outcome:
        """Write the records that were made of a batch."""
        records = [record for _, record in embedded.records]
        written = write_items(to, records) if records else None
        return Outcome(written, replace(embedded, records=()))

    def work(self, to: Destination, errands: Sequence[Errand]) -> Outcome:
        """Decode, embed and write a batch."""
        return self.write(to, self.embed(errands))


class ClusterWorker(EmbeddingWorker):
    """An :class:`EmbeddingWorker` that has a process for itself, and the GPUs that Ray gave it.

    Args:
        version, spec, limits, threads: As above.
        gpus: A fraction shares one; 0: none. GPUs that the machine has are then hidden from the network: as many
            workers as there are cores would fill their memory.
    """

    def __init__(self, version: str, spec: str, limits: Limits, threads: int, gpus: float) -> None:
        super().__init__(version, spec, limits, threads)
        self._gpus = gpus
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""

    def problem(self, to: Destination) -> str | None:
        """As above; a GPU that the network does not use is a problem too."""
        found = super().problem(to)
        return found if found is not None else unused_gpus(self._gpus, self._encoder)
