"""What each layer of a network responds to in an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedding import Picture
from lookalike.collection.pictures import Pixels, read_picture
from lookalike.collection.sample import sample_path
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER, available, load_encoder
from lookalike.encoders.spec import Resize
from lookalike.errors import InputError
from lookalike.images.decode import Limits
from lookalike.types import Image

if TYPE_CHECKING:
    from lookalike.tasks.layers import By, Channel, Typical

MOST_CHANNELS = 24

REFERENCES = 24
"""Photos of the packaged sample that say how channels respond as a rule."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerView:
    """One layer's response.

    Args:
        layer: Its name.
        dimensions: How many channels it has.
        energy: float32 (h, w): where it responds, root mean square over all channels in their standard
            deviations; 1 is a usual place.
        channels: The strongest, with their responses float32 (h, w); the strongest first.
    """

    layer: str
    dimensions: int
    energy: npt.NDArray[np.float32]
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LayerViews(Sequence[LayerView]):
    """What the layers of a network respond to in an image; behaves as a list of :class:`LayerView`.

    Args:
        picture: The image.
        network_input: uint8 (h, w, 3), what the network saw of it.
        views: From the input on.
        provenance: Everything the answer depends on.
    """

    picture: Pixels
    network_input: Image
    views: tuple[LayerView, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, index: Any) -> Any:
        """One layer, or several."""
        return self.views[index]

    def __len__(self) -> int:
        return len(self.views)

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON; without the maps."""
        return {
            "image": self.picture.name,
            "layers": [
                {
                    "layer": view.layer,
                    "dimensions": view.dimensions,
                    "map": list(view.energy.shape),
                    "channels": [
                        {"index": channel.index, "energy": channel.energy, "peak": channel.peak}
                        for channel in view.channels
                    ],
                }
                for view in self.views
            ],
            "provenance": dict(self.provenance),
        }

    def to_png(self) -> bytes:
        """One picture: a row for each layer."""
        from lookalike.reports.layering import layers_png

        return layers_png(self.picture.name, self.network_input, self._rows(), self.provenance)

    def save_png(self, path: str | PathLike[str]) -> Path:
        """Write :meth:`to_png`; returns the path written."""
        from lookalike.reports.page import write_bytes

        write_bytes(path, self.to_png())
        return Path(path)

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a self-contained page; returns the path written."""
        from lookalike.reports.layering import layers_page
        from lookalike.reports.page import write

        write(path, layers_page(self.picture.name, self.network_input, self._rows(), self.provenance))
        return Path(path)

    def _rows(self) -> list[Any]:
        from lookalike.reports.layering import LayerRow

        return [LayerRow(view.layer, view.dimensions, view.energy, view.channels) for view in self.views]


def layers(
    image: Picture,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    layers: Sequence[str] = (),
    resize: Resize | None = None,
    channels: int = 6,
    by: By = "energy",
    references: Iterable[Picture] | None = None,
    limits: Limits | None = None,
) -> LayerViews:
    """What each layer of a network responds to in an image, from edges to textures to objects.

    A channel's response is measured in its own standard deviations over reference images, so that channels and
    layers can be compared.

    Args:
        image: A path or URL, encoded bytes, or uint8 (h, w, 3) pixels.
        encoder: Name (see :func:`lookalike.list_encoders`) or a loaded encoder, whose other layers are loaded.
        layers: Names, from the input on; by default all that ``lookalike encoders`` lists, which only the
            bundled encoders have. Each must give a map.
        resize: How the image becomes the network's input; the encoder's own way by default.
        channels: Strongest channels of each layer, 1 to 24.
        by: The strongest vary most over the image (``energy``) or have the largest single response (``peak``).
        references: Pictures that say how channels respond as a rule; by default 24 photos of the packaged
            sample.
        limits: Largest image accepted; 50 megapixels by default.

    Returns:
        One view for each layer.

    Raises:
        ImageError: If a picture cannot be read.
        InputError: If an argument is wrong or a layer gives no map.

    Example:
        >>> views = lookalike.layers("photo.jpg")
        >>> views[-1].layer, views[-1].energy.shape
        ('head', (7, 7))
        >>> views.save_png("layers.png")
    """
    from lookalike.tasks.layers import respond

    if isinstance(channels, bool) or not 1 <= channels <= MOST_CHANNELS:
        raise InputError(f"channels = {channels}: expected a whole number from 1 to {MOST_CHANNELS}")
    networks = _cut_off(encoder, tuple(layers), resize)
    picture = read_picture(image, networks[0].spec, limits=limits)
    network_input = networks[0].prepare(picture.pixels)
    given = None
    if references is not None:
        given = [
            networks[0].prepare(read_picture(each, networks[0].spec, limits=limits).pixels)
            for each in references
        ]
    views = []
    for network in networks:
        (features,) = _maps(network, [network_input])
        usual = _usual(network) if given is None else _learn(network, given)
        response = respond(features, usual, count=channels, by=by)
        views.append(LayerView(network.spec.layer, features.shape[2], response.energy, response.channels))
    spec = networks[-1].spec
    return LayerViews(
        picture,
        network_input,
        tuple(views),
        {
            "encoder": spec.name,
            "weights": spec.weights[:16],
            "resize": spec.resize,
            "layers": [view.layer for view in views],
            "channels_by": by,
            "references": len(given) if given is not None else f"{REFERENCES} photos of the packaged sample",
        },
    )


def _cut_off(encoder: str | Encoder, layers: tuple[str, ...], resize: Resize | None) -> tuple[Encoder, ...]:
    """A network cut off after each of some layers, by default those that are listed of it."""
    if isinstance(encoder, Encoder):
        name, resize = encoder.spec.name, resize or encoder.spec.resize
    else:
        name = encoder
    listed = _listed(name)
    names = layers or listed
    if not names:
        raise InputError(
            f"encoder {name!r} has no list of layers: name those to look at, from the input on "
            "(layers=[...], or --layer for each)"
        )
    return (_bundled if listed else _load)(name, names, resize)


def _listed(name: str) -> tuple[str, ...]:
    """The layers that ``lookalike encoders`` lists: of the bundled encoders."""
    return next((tuple(layer.name for layer in info.layers) for info in available() if info.name == name), ())


def _maps(network: Encoder, inputs: Iterable[Image]) -> Iterable[npt.NDArray[np.float32]]:
    for encoding in network.encode(inputs, spatial=True):
        if encoding.spatial is None:
            raise InputError(
                f"layer {network.spec.layer!r} of {network.spec.name} gives no map of places, so there is nothing "
                "to show: choose a layer before the pooling"
            )
        yield encoding.spatial


def _learn(network: Encoder, inputs: Sequence[Image]) -> Typical:
    from lookalike.tasks.layers import typical

    return typical(_maps(network, inputs))


@lru_cache(maxsize=2)
def _bundled(name: str, layers: tuple[str, ...], resize: Resize | None) -> tuple[Encoder, ...]:
    """A bundled network cut off after each layer; all stay ready together, which the registry has no room for."""
    return _load(name, layers, resize)


def _load(name: str, layers: tuple[str, ...], resize: Resize | None) -> tuple[Encoder, ...]:
    return tuple(load_encoder(name, layer=layer, resize=resize) for layer in layers)


_usual_by_fingerprint: dict[str, Typical] = {}


def _usual(network: Encoder) -> Typical:
    """How a layer responds to the packaged sample, learned once in a process: it is the same in every call."""
    known = _usual_by_fingerprint.get(network.spec.fingerprint)
    if known is None:
        photos = sorted((sample_path() / "customer").glob("*.jpg"))
        chosen = [photos[at * len(photos) // REFERENCES] for at in range(REFERENCES)]
        inputs = [network.prepare(read_picture(each, network.spec).pixels) for each in chosen]
        known = _usual_by_fingerprint[network.spec.fingerprint] = _learn(network, inputs)
    return known
