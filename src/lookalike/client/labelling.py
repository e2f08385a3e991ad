"""Classifiers of a remote collection: trained there, asked from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from lookalike.client.base import RemoteBase, plain
from lookalike.client.examples import Example, is_place, parts_of, read_example
from lookalike.client.transport import Transport, parsed
from lookalike.collection.label_review import LabelError, Outlier, Review, ToLabel
from lookalike.collection.labelling import Written
from lookalike.collection.tagger import Prediction
from lookalike.errors import InputError, NotFitted
from lookalike.evaluate.classification_report import ClassificationReport

PICTURES_AT_ONCE = 16
IDS_AT_ONCE = 1000

Labels = str | Mapping[str, str | None]
"""The attribute that holds the labels, or labels by item id."""

UNLABELLED = (None, "")


class RemoteTagger:
    """A classifier that is saved with a remote collection.

    Made by ``RemoteCollection.train_classifier`` or ``RemoteCollection.classifier``.

    Args:
        about: As the service describes it.
        transport: To the service.
        path: Of the classifier there.
        known: Whether the collection has an item of an id.
    """

    def __init__(
        self, about: Mapping[str, Any], transport: Transport, path: str, known: Callable[[str], bool]
    ) -> None:
        self._about = about
        self._transport = transport
        self._path = path
        self._known = known

    @property
    def name(self) -> str:
        """What it is saved as."""
        return str(self._about["name"])

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes."""
        return tuple(self._about["labels"])

    @property
    def report(self) -> ClassificationReport | None:
        """How good it is, on examples it had not seen; None when nothing could be held out."""
        report = self._about["report"]
        return None if report is None else ClassificationReport.from_dict(report)

    @property
    def provenance(self) -> dict[str, Any]:
        """Everything that it depends on."""
        return dict(self._about["provenance"])

    def predict(self, queries: Any) -> list[Prediction]:
        """Label items or pictures.

        Args:
            queries: One or several: item ids; paths, URLs, image bytes or uint8 (h, w, 3) pixels, which are sent.

        Raises:
            InputError: If one is none of these; vectors cannot be sent.
            ImageError: If a picture cannot be read.
            UnknownItem: If an id is none of the collection.
        """
        lone = isinstance(queries, str | PathLike | bytes | bytearray) or getattr(queries, "ndim", 0) in (
            1,
            3,
        )
        listed: Iterable[Any] = [queries] if lone else queries
        found: list[Prediction] = []
        pictures: list[Example] = []
        ids: list[Example] = []
        order: list[Example] = []

        def send() -> None:
            answers = iter(self._sent(pictures, ids))
            by_kind = {id(each): next(answers) for each in [*pictures, *ids]}
            found.extend(by_kind[id(each)] for each in order)
            for each in (pictures, ids, order):
                each.clear()

        for query in listed:
            example = self._read(query)
            (ids if example.kind == "id" else pictures).append(example)
            order.append(example)
            if len(pictures) == PICTURES_AT_ONCE or len(ids) == IDS_AT_ONCE:
                send()
        if order:
            send()
        return found

    def _read(self, query: Any) -> Example:
        """An item or a picture; a text that is no file here is an id without asking."""
        if isinstance(query, str) and not _is_here(query):
            return Example("id", query, str(query))
        example = read_example(query, self._known)
        if example.kind not in ("id", "image"):
            raise InputError(
                f"{example.name!r} cannot be sent: a service labels items by id, and pictures as paths, bytes or pixels"
            )
        return example

    def _sent(self, pictures: list[Example], ids: list[Example]) -> list[Prediction]:
        files = parts_of(pictures)
        fields = {"id": [each.value for each in ids]} if ids else {}
        body: dict[str, Any] = {"data": fields, "files": files} if files else {"json": fields}
        answer = self._transport.request("POST", f"{self._path}/predict", **body, repeatable=True)
        return [
            Prediction(
                each["label"],
                each["confidence"],
                tuple((label, chance) for label, chance in each["alternatives"]),
            )
            for each in parsed(answer)["predictions"]
        ]

    def __repr__(self) -> str:
        return f"RemoteTagger({self.name!r}, {len(self.labels)} classes)"


class RemoteLabelling(RemoteBase):
    """Learns labels from labelled items and gives them to others."""

    def train_classifier(
        self,
        labels: Labels,
        *,
        name: str | None = None,
        method: Literal["auto", "linear", "neighbours", "prototypes"] = "auto",
        group_by: str | None = None,
        where: str | None = None,
        class_weights: Literal["balanced", "none"] = "balanced",
        false_reject_rate: float = 0.05,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> RemoteTagger:
        """Learn to label pictures from labelled items, and save the classifier with the collection; arguments as of
        ``Collection.train_classifier``.

        Args:
            labels: The attribute that holds the labels, or ``{id: label}``; a table is read by whoever has it.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total). Ctrl-C
                cancels the work on the service.
        """
        asked: dict[str, Any] = {
            "name": name,
            "method": method,
            "group_by": group_by,
            "where": where,
            "seed": seed,
        }
        asked |= {"class_weights": class_weights, "false_reject_rate": false_reject_rate, **_source(labels)}
        return self._tagger(self._job("classifiers", asked, progress))

    def classifiers(self) -> list[dict[str, Any]]:
        """The classifiers that are saved with the collection, oldest first: name, labels, method, examples, accuracy,
        version of each."""
        found: list[dict[str, Any]] = self._transport.get(self._at("classifiers"))["classifiers"]
        return found

    def classifier(self, name: str | None = None) -> RemoteTagger:
        """A saved classifier.

        Args:
            name: May be left out when there is only one.

        Raises:
            NotFitted: If there is none of that name.
            InputError: If there are several and no name was given.
        """
        return self._tagger(self._transport.get(self._at("classifiers", self._classifier_name(name))))

    def remove_classifier(self, name: str) -> bool:
        """Forget a classifier; whether there was one. Attributes that it wrote stay."""
        try:
            self._transport.request("DELETE", self._at("classifiers", name))
        except NotFitted:
            return False
        return True

    def predict_labels(
        self,
        name: str | None = None,
        *,
        where: str | None = None,
        attribute: str | None = None,
        overwrite: bool = False,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Written:
        """Write a classifier's label and confidence of every item as attributes; arguments as of
        ``Collection.predict_labels``."""
        asked = {"where": where, "attribute": attribute, "overwrite": overwrite}
        part = "/".join(["classifiers", self._quoted(self._classifier_name(name)), "apply"])
        return Written(**self._job(part, asked, progress))

    def review_labels(
        self,
        labels: Labels | None = None,
        *,
        name: str | None = None,
        group_by: str | None = None,
        where: str | None = None,
        count: int = 24,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Review:
        """Find labels that are likely wrong, items that are best labelled next, and items like nothing else; arguments
        as of ``Collection.review_labels``."""
        asked = {"name": name, "group_by": group_by, "where": where, "count": count, "seed": seed}
        found = self._job("review", {**asked, **({} if labels is None else _source(labels))}, progress)
        return Review(
            errors=tuple(
                LabelError(e["id"], e["label"], e["suggested"], e["self_confidence"], e["margin"])
                for e in found["errors"]
            ),
            errors_found=found["errors_found"],
            to_label=tuple(ToLabel(e["id"], e["likeliest"], e["probability"]) for e in found["to_label"]),
            outliers=tuple(
                Outlier(e["id"], e["label"], e["within"], e["outside"]) for e in found["outliers"]
            ),
            provenance=found["provenance"],
            thumbnails=self._thumbnails,
        )

    def _classifier_name(self, name: str | None) -> str:
        if name is not None:
            return name
        names = [each["name"] for each in self.classifiers()]
        if len(names) > 1:
            raise InputError(f"the collection has several classifiers: name one of {', '.join(names)}")
        if not names:
            raise NotFitted("classifier", "default", names)
        return str(names[0])

    def _tagger(self, about: Mapping[str, Any]) -> RemoteTagger:
        return RemoteTagger(about, self._transport, self._at("classifiers", about["name"]), self.__contains__)


def _source(labels: Any) -> dict[str, Any]:
    """Where labels come from, as a request holds it."""
    if isinstance(labels, Mapping):
        return {"labels": plain({id: None if label in UNLABELLED else label for id, label in labels.items()})}
    if isinstance(labels, str):
        return {"label": labels}
    raise InputError(
        f"labels of type {type(labels).__name__}: expected the name of an attribute or {{id: label}}; a service "
        "reads no table, so read it first"
    )


def _is_here(text: str) -> bool:
    """Whether a text may mean a picture that is read on this machine."""
    if "://" in text:
        return True
    try:
        return is_place(text) and Path(text).is_file()
    except (OSError, ValueError):
        return False
