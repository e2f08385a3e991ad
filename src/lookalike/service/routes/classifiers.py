"""Classifiers: trained and applied in the background, asked about uploads at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from lookalike.collection import Collection
from lookalike.collection.tagger import KIND, Tagger
from lookalike.errors import ImageError, NotFitted
from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.conditions import public_attribute
from lookalike.service.jobs import Progress
from lookalike.service.schemas.bodies import documented, invalid, read_body
from lookalike.service.schemas.classifiers import (
    MOST_IMAGES,
    ApplyRequest,
    ClassifierAnswer,
    ClassifiersAnswer,
    PredictionsAnswer,
    PredictRequest,
    Removed,
    TrainRequest,
)
from lookalike.service.starting import STARTS, check_filter, labels_of, start
from lookalike.service.state import service_of
from lookalike.types import ItemId

router = APIRouter(prefix="/v1/collections/{collection}/classifiers", tags=["classifiers"])


@router.post("", **STARTS)
async def train_classifier(
    request: Request, response: Response, collection: str, opened: Writable, asked: TrainRequest
) -> dict[str, Any]:
    """Learn to label pictures from an attribute, or from labels given by hand, and save the classifier under its
    name; the job's result is what `GET .../classifiers/{name}` answers."""
    labels = await labels_of(request, opened, asked.label, asked.labels)
    if labels is None:
        raise invalid("label", "expected one of label, an attribute, and labels, by item id")
    await check_filter(request, opened, asked.where)
    public_attribute(asked.group_by)
    wanted = asked.model_dump(exclude={"label", "labels"})

    def work(progress: Progress) -> dict[str, Any]:
        progress.say("training")
        return _document(collection, opened.train_classifier(labels, **wanted, progress=progress))

    return start(request, response, "classifier", collection, work)


@router.get("", response_model=ClassifiersAnswer)
async def list_classifiers(request: Request, opened: Readable) -> dict[str, Any]:
    """The classifiers that are saved with the collection."""
    fitted = await service_of(request).workers.run(opened.classifiers)
    return {
        "classifiers": [
            {
                "name": each.name,
                "labels": each.provenance["labels"],
                "method": each.provenance["method"],
                "examples": each.provenance["examples"],
                "accuracy": (each.provenance["measured"] or {}).get("accuracy"),
                "version": each.version,
            }
            for each in fitted
        ]
    }


@router.get("/{name}", response_model=ClassifierAnswer)
async def get_classifier(request: Request, collection: str, opened: Readable, name: str) -> dict[str, Any]:
    """One classifier: its classes, and how good it is on items that it had not seen."""
    return _document(collection, await service_of(request).workers.run(opened.classifier, name))


@router.delete("/{name}", response_model=Removed)
async def remove_classifier(request: Request, opened: Writable, name: str) -> dict[str, int]:
    """Forget a classifier; attributes that it wrote stay."""

    def remove() -> None:
        if not opened.remove_classifier(name):
            raise _unknown(opened, name)

    await service_of(request).workers.run(remove)
    return {"removed": 1}


@router.post(
    "/{name}/predict",
    response_model=PredictionsAnswer,
    openapi_extra=documented(PredictRequest, files=("image",)),
)
async def predict(request: Request, collection: str, opened: Readable, name: str) -> dict[str, Any]:
    """Label pictures and items at once; nothing is saved."""
    asked = await read_body(request, PredictRequest, files=("image",), most_files=MOST_IMAGES)
    if not asked.image and not asked.id:
        raise invalid("image", "expected one or more of image and id")

    taggers = service_of(request).taggers

    def answer() -> dict[str, Any]:
        tagger = taggers.of(opened, name)
        try:
            found = tagger.predict([*asked.image, *map(ItemId, asked.id)])
        except ImageError:
            _name_unreadable(tagger, asked.image)
            raise
        inputs = [*(f"image.{number}" for number in range(len(asked.image))), *asked.id]
        return {
            "classifier": tagger.name,
            "predictions": [{"input": i, **asdict(each)} for i, each in zip(inputs, found, strict=True)],
            "provenance": links.provenance(collection, tagger.provenance),
        }

    return await service_of(request).workers.run(answer)


@router.post("/{name}/apply", **STARTS)
async def apply_classifier(
    request: Request, response: Response, collection: str, opened: Writable, name: str, asked: ApplyRequest
) -> dict[str, Any]:
    """Write a classifier's label and confidence of every item as attributes; the job's result says how many items got
    which label. What was written before a cancellation stays."""
    await check_filter(request, opened, asked.where)
    await service_of(request).workers.run(_require, opened, name)

    def work(progress: Progress) -> dict[str, Any]:
        progress.say("labelling")
        return asdict(opened.predict_labels(name, **asked.model_dump(), progress=progress))

    return start(request, response, "labels", collection, work)


def _document(collection: str, tagger: Tagger) -> dict[str, Any]:
    return {
        "name": tagger.name,
        "labels": list(tagger.labels),
        "report": None if tagger.report is None else tagger.report.as_dict(),
        "provenance": links.provenance(collection, tagger.provenance),
    }


def _name_unreadable(tagger: Tagger, images: Sequence[bytes]) -> None:
    """Say which of several pictures cannot be read."""
    for number, image in enumerate(images):
        try:
            tagger.predict([image])
        except ImageError as error:
            raise ImageError(f"image.{number}: {error}") from None


def _require(opened: Collection, name: str) -> None:
    if name not in [each.name for each in opened.classifiers()]:
        raise _unknown(opened, name)


def _unknown(opened: Collection, name: str) -> NotFitted:
    return NotFitted(KIND, name, [each.name for each in opened.classifiers()])
