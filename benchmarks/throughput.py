"""Images a second from JPEG files to a collection on disk, against a Pillow + ONNX Runtime loop on the same weights.

DATA is any folder of JPEG files; copies of them are made at each size, made different from each other by bytes after
the end of the picture. Both sides run in processes of their own, in turn, and the ratio is taken pair by pair. The
loop decodes, resizes and runs the network; lookalike also hashes, makes thumbnails, labels and stores durably.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

from benchmarks.report import keep

SIZES = ((500, 375), (1600, 1200))
ROUNDS = 3
IMAGES = 600

PEER = """
import io, json, sys, time
from pathlib import Path
import numpy as np, onnxruntime
from PIL import Image
from importlib.resources import files
model = files("lookalike.encoders") / "bundled" / "efficientnet-lite0.onnx"
session = onnxruntime.InferenceSession(str(model))
feed = session.get_inputs()[0].name
paths = sorted(Path(sys.argv[1]).glob("*.jpg"))
def vector(path):
    image = Image.open(path).convert("RGB")
    scale = 224 / min(image.size)
    image = image.resize((max(224, round(image.width * scale)), max(224, round(image.height * scale))), Image.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), dtype=np.float32)
    (head,) = session.run(["head"], {feed: ((pixels - 127) / 128).transpose(2, 0, 1)[None]})
    pooled = head[0].mean(axis=(1, 2))
    return pooled / np.linalg.norm(pooled)
vector(paths[0])
start = time.perf_counter()
out = np.stack([vector(path) for path in paths])
print(json.dumps({"rate": len(paths) / (time.perf_counter() - start)}))
"""

OURS = """
import json, resource, sys, time
import lookalike
encoder = lookalike.load_encoder("efficientnet-lite0")
lookalike.embed(sys.argv[1] + "/000000.jpg", encoder=encoder)
with lookalike.create(sys.argv[2], encoder=encoder) as collection:
    start = time.perf_counter()
    ledger = collection.add(sys.argv[1], progress=False)
    rate = ledger.added / (time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rate": rate, "peak_mb": peak, "added": ledger.added, "failed": ledger.failed}))
"""


def main() -> None:
    """Measure the rates in turn, then the peak memory at two sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--memory", type=int, nargs=2, default=(1000, 20000), metavar="N")
    options = parser.parse_args()
    pictures = sorted(options.data.rglob("*.jpg"))[:IMAGES]
    rows = [_rates(pictures, size) for size in SIZES]
    with tempfile.TemporaryDirectory() as scratch:
        peaks = {n: _peak(pictures, n, Path(scratch)) for n in options.memory}
    small, large = (peaks[n] for n in options.memory)
    keep("throughput", rows, images=IMAGES, peak_memory_mb=peaks, peak_memory_ratio=round(large / small, 3))
    print(f"peak memory: {peaks}, ratio {large / small:.3f}")


def _rates(pictures: list[Path], size: tuple[int, int]) -> dict[str, object]:
    peer: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pictures"
        _copies(pictures, IMAGES, folder, size)
        for number in range(ROUNDS):
            peer.append(_run(PEER, folder)["rate"])
            ours.append(_run(OURS, folder, Path(scratch) / f"{number}.lookalike")["rate"])
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    return {
        "JPEG size": f"{size[0]}x{size[1]}",
        "Pillow + ONNX Runtime, images/s": round(statistics.median(peer), 1),
        "lookalike index, images/s": round(statistics.median(ours), 1),
        "ratio (median)": round(statistics.median(ratios), 2),
        "ratio (range)": f"{min(ratios):.2f} to {max(ratios):.2f}",
    }


def _peak(pictures: list[Path], count: int, scratch: Path) -> float:
    folder = scratch / str(count)
    _copies(pictures, count, folder, SIZES[0])
    done = _run(OURS, folder, scratch / f"{count}.lookalike")
    assert done["added"] == count and not done["failed"], done
    return round(done["peak_mb"], 1)


def _copies(pictures: list[Path], count: int, folder: Path, size: tuple[int, int]) -> None:
    """``count`` different JPEG files of one size."""
    from io import BytesIO

    from PIL import Image

    folder.mkdir()
    resized = []
    for path in pictures:
        buffer = BytesIO()
        Image.open(path).convert("RGB").resize(size, Image.Resampling.BICUBIC).save(
            buffer, "JPEG", quality=88
        )
        resized.append(buffer.getvalue())
    for number, data in enumerate(islice(cycle(resized), count)):
        (folder / f"{number:06}.jpg").write_bytes(data + number.to_bytes(4, "big"))


def _run(code: str, *arguments: Path) -> dict[str, float]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result
