"""An S3 server on loopback, with this process's environment pointed to it."""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import os
from pathlib import Path

import pytest


def s3_uri(path: Path) -> str:
    """A place in a bucket of a server on loopback, of one name with a local path."""
    start_s3()
    return f"s3://shops/{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.lance"


@functools.cache
def start_s3() -> str:
    """Start an S3 server, point this process's environment to it and make a bucket; its address."""
    moto = pytest.importorskip("moto.server", reason="needs moto: pip install 'lookalike[dev]'")
    s3fs = pytest.importorskip("s3fs", reason="needs s3fs: pip install 'lookalike[s3]'")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    os.environ |= {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    s3fs.S3FileSystem(endpoint_url=address).mkdir("shops")
    return address
