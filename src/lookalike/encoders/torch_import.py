"""Import PyTorch and the libraries on top of it, or say what to install."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from lookalike.errors import EncoderError, MissingExtra

_UNDECLARED = re.compile(r"operator torchvision::(\w+) does not exist")
_declarations: list[Any] = []
"""Libraries of declared operators: a declaration ends with its object."""


def import_torch() -> Any:
    """PyTorch.

    Raises:
        MissingExtra: If it is not installed.
    """
    return _import("torch", "an encoder of timm or OpenCLIP")


def import_timm() -> Any:
    """timm.

    Raises:
        MissingExtra: If it, or PyTorch, is not installed.
    """
    _import_torchvision()
    return _import("timm", "an encoder timm:NAME")


def import_open_clip() -> Any:
    """OpenCLIP.

    Raises:
        MissingExtra: If it, or PyTorch, is not installed.
    """
    _import_torchvision()
    return _import("open_clip", "an encoder open_clip:ARCH/TAG")


def _import(module: str, what: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{what} ({error.name} is missing)", "torch") from None


def _import_torchvision() -> None:
    """Import torchvision, also where its compiled operators do not match PyTorch's build.

    The wheels of the package index hold CUDA operators only. Beside a CPU build of PyTorch they cannot be
    loaded, and the import then fails where it describes an operator that was never declared. timm and
    OpenCLIP use torchvision's plain Python classes alone, so declaring the operator is enough; calling it
    would still fail, as it should.
    """
    torch = import_torch()
    missing = ""
    while True:
        try:
            _import("torchvision", "an encoder of timm or OpenCLIP")
            return
        except RuntimeError as error:
            undeclared = _UNDECLARED.search(str(error))
            if undeclared is None or undeclared.group(1) == missing:
                raise EncoderError(
                    f"torchvision cannot be imported beside PyTorch {torch.__version__}: {error}. "
                    "Install the two versions that belong together"
                ) from error
            missing = undeclared.group(1)
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{missing}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _declarations.append(library)
