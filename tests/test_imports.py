"""What `import lookalike` and `lookalike --help` load: the guard of a fast start."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lookalike

HEAVY = {
    "fastapi",
    "httpx2",
    "nanoarrow",
    "prometheus_client",
    "pydantic",
    "starlette",
    "uvicorn",
    "openvino",
    "faiss",
    "PIL",
    "rich",
    "torch",
    "pyarrow",
    "fsspec",
    "av",
    "simplejpeg",
    "sqlite3",
    "onnx",
    "timm",
    "sklearn",
    "scipy",
    "matplotlib",
    "graspologic_native",
}


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running the code."""
    script = f"import sys\n{code}\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_loads_nothing_heavy() -> None:
    loaded = modules_after("import lookalike")
    assert not loaded & (HEAVY | {"numpy", "argparse"})


def test_help_loads_nothing_heavy() -> None:
    code = """
from lookalike.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
"""
    assert not modules_after(code) & HEAVY


def test_exports_equal_all() -> None:
    public = {name for name in dir(lookalike) if not name.startswith("_")}
    assert public == set(lookalike.__all__) - {"__version__"}
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None


def test_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        lookalike.serach  # noqa: B018


def test_openvino_calls_nobody() -> None:
    """It reports its use over the network when it can import the package for that."""
    for module in ("lookalike.encoders.registry", "lookalike.tracking.onnx_detector"):
        code = f"import {module}, openvino\nprint(sys.modules['openvino_telemetry'])"
        done = subprocess.run(
            [sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "None"
