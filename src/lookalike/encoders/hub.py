"""Load weights from a model hub, or fail at once when it is out of reach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies

from lookalike.encoders.messages import gist
from lookalike.errors import EncoderError, HubUnreachable

CONNECT_SECONDS = 5.0
_lock = threading.Lock()


@contextmanager
def fetching(what: str, checkpoint_form: str) -> Iterator[None]:
    """Run a load that may fetch files from the Hugging Face hub.

    The hub's client tries again for half a minute a file when there is no network. So one connection is tried
    first, and without it the client works from its cache on this machine alone.

    Args:
        what: The encoder's name, for the message.
        checkpoint_form: How to name a local file instead, for the message.

    Raises:
        HubUnreachable: If the files are not in the cache and the hub cannot be reached.
        EncoderError: If the load fails for another reason.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    with _lock:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = before or not _reachable(constants.ENDPOINT)
        try:
            yield
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            answered = isinstance(error, HfHubHTTPError) or not isinstance(error, OSError)
            if constants.HF_HUB_OFFLINE or not answered:
                raise HubUnreachable(
                    f"the weights of {what} are not on this machine, and {constants.ENDPOINT} cannot be "
                    f"reached. Expected them in the cache {constants.HF_HUB_CACHE}: copy it from a machine "
                    f"that has them, or give a local file as {checkpoint_form}, or use a bundled encoder "
                    f"such as efficientnet-lite0 (the hub's client says: {gist(error)})"
                ) from error
            raise EncoderError(f"{what} cannot be loaded: {gist(error)}") from error
        finally:
            constants.HF_HUB_OFFLINE = before


def _reachable(endpoint: str) -> bool:
    """Whether the hub takes a connection; behind a proxy only the client can tell, so it may try."""
    if getproxies():
        return True
    address = urlsplit(endpoint)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False
