"""The frames of a live stream, as they come, across connections that drop.

A thread of its own reads: frames have the time at which they came and not that at which somebody had time for them, and
where they come faster than they are looked at, the oldest are left out rather than all be late. A recording that is
read from an address waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from time import monotonic

from lookalike.errors import SourceError
from lookalike.tracking.cameras import Camera
from lookalike.tracking.footage import LEAST_STEP, STALLED, Shot, shots

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before each attempt to connect again; one that gives a frame starts over."""

WAITING = 32
"""Frames that wait to be looked at, at most: about three seconds of a usual camera."""

LOOKED_AT = 0.25
"""Seconds after which it is looked at whether somebody wants to stop."""


def live_shots(camera: Camera, stop: threading.Event, *, waits: Sequence[float] = WAITS) -> Iterator[Shot]:
    """The frames of a stream until it ends, somebody stops it, or it drops and does not come back.

    Numbers and times go on over a drop: seconds count from the first frame, by the clock of this machine where
    connections meet. The first frame after a drop, or after some that were left out, says so as its problem.

    Args:
        camera: A stream.
        stop: Set to end.
        waits: Seconds before each attempt to connect again.

    Raises:
        SourceError: If no frame came at all, or the stream dropped and did not come back; says why and for how long it
            was tried.
        MissingExtra: If PyAV is not installed.
    """
    number, last, begun, tries = 0, 0.0, monotonic(), 0
    dropped: SourceError | None = None
    while True:
        reader = _Reader(camera)
        offset: float | None = None
        frames = number
        try:
            for came, shot in reader.frames(stop):
                if offset is None:
                    begun = came if number == 0 else begun
                    offset = 0.0 if number == 0 else max(came - begun, last + LEAST_STEP)
                problem = shot.problem
                if dropped is not None:
                    problem = f"{dropped}; it came back after {offset - last:.1f} s"
                elif frames + shot.number > number + 1:
                    missed = frames + shot.number - number - 1
                    problem = (
                        f"{missed} frames before it were left out: they came faster than they are looked at"
                    )
                number, last = frames + shot.number, offset + shot.seconds
                yield shot._replace(number=number, seconds=last, problem=problem)
                dropped, tries = None, 0
            return
        except SourceError as error:
            if number == 0:
                raise
            dropped = dropped or error
        finally:
            reader.close()
        if tries == len(waits):
            raise SourceError(
                f"{dropped}, and did not come back in {tries} attempts over {sum(waits):g} s: run it again when the "
                "camera is there"
            )
        if stop.wait(waits[tries]):
            return
        tries += 1


class _Reader:
    """Reads one connection on a thread of its own.

    Args:
        camera: A stream.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._frames: deque[tuple[float, Shot]] = deque(maxlen=WAITING)
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._over = False
        self._error: Exception | None = None
        # a daemon: whoever waits for a camera that fell silent does not keep a program from ending
        self._thread = threading.Thread(target=self._read, name=f"lookalike-{camera.name}", daemon=True)
        self._thread.start()

    def frames(self, stop: threading.Event) -> Iterator[tuple[float, Shot]]:
        """Frames and the time at which each came, until the connection ends or somebody stops.

        Raises:
            SourceError: If the connection failed or dropped, after its last frame.
        """
        while not stop.is_set():
            with self._changed:
                if not self._frames and not self._over:
                    self._changed.wait(LOOKED_AT)
                found = self._frames.popleft() if self._frames else None
                self._changed.notify()
            if found is not None:
                yield found
            elif self._over:
                if self._error is not None:
                    raise self._error
                return

    def close(self) -> None:
        """Stop reading; waits no longer than a silent camera is waited for."""
        self._closed.set()
        self._thread.join(STALLED)

    def _read(self) -> None:
        error: Exception | None = None
        try:
            for shot in shots(self._camera):
                with self._changed:
                    while not shot.live and len(self._frames) == WAITING and not self._closed.is_set():
                        self._changed.wait(LOOKED_AT)
                    self._frames.append((monotonic(), shot))
                    self._changed.notify()
                if self._closed.is_set():
                    break
        except Exception as caught:  # noqa: BLE001  raised again where frames are taken
            error = caught
        with self._changed:
            self._error, self._over = error, True
            self._changed.notify()
