"""A camera on the network, for tests: MJPEG over HTTP on 127.0.0.1, as cheap cameras serve it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

from camera_scenes import BODY, HEIGHT, PEOPLE, WIDTH, backdrop, person


class CameraServer:
    """Serves a picture that changes, from the moment it is made until it is closed.

    Args:
        picture: uint8 (h, w, 3) at so many seconds since the server was made.
        fps: Pictures a second.
        drop_after: Pictures of a connection after which it is cut, one number a connection; further
            connections are refused. None: nothing is cut or refused.
    """

    def __init__(
        self,
        picture: Callable[[float], np.ndarray],
        *,
        fps: float = 10.0,
        drop_after: tuple[int, ...] | None = None,
    ) -> None:
        self.served = 0
        self.connections = 0
        self._picture, self._fps, self._drop_after = picture, fps, drop_after
        self._begun, self._closed = time.monotonic(), threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/stream.mjpg"

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._begun

    def __enter__(self) -> CameraServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.connections += 1
        most = None
        if self._drop_after is not None:
            if self.connections > len(self._drop_after):
                request.send_error(503)
                return
            most = self._drop_after[self.connections - 1]
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        sent = 0
        try:
            while not self._closed.is_set() and sent != most:
                file = io.BytesIO()
                Image.fromarray(self._picture(self.seconds)).save(file, "JPEG", quality=92)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {file.tell()}\r\n\r\n"
                request.wfile.write(head.encode() + file.getvalue() + b"\r\n")
                sent += 1
                self.served += 1
                self._closed.wait(1 / self._fps - self.seconds % (1 / self._fps))
        except OSError:  # whoever looked is gone
            pass


EMPTY = backdrop(1)


def passing(first: float, every: float, lasts: float) -> Callable[[float], np.ndarray]:
    """One after another, people cross an empty place from left to right.

    Args:
        first: Seconds before the first comes.
        every: Seconds from one to the next, more than ``lasts``.
        lasts: Seconds that each is there.
    """

    def picture(seconds: float) -> np.ndarray:
        shown = EMPTY.copy()
        count, since = divmod(seconds - first, every)
        if seconds >= first and since < lasts:
            left = round(since / lasts * (WIDTH - BODY[0]))
            name = PEOPLE[int(count) % len(PEOPLE)]
            shown[60 : 60 + BODY[1], left : left + BODY[0]] = person(name, seed=int(10 * seconds))
        return shown

    assert 60 + BODY[1] < HEIGHT
    return picture
