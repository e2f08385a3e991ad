"""Classifiers and reviews of labels, as they are asked for and answered."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from lookalike.service.schemas.bodies import Body, PictureBytes
from lookalike.service.schemas.learned import Provenance, Seed, Where

MOST_LABELS = 100_000
MOST_IMAGES = 32


def _unicode(labels: Any) -> Any:
    """Refuse lone surrogates, which pydantic does not see inside a strict dict and no store can keep."""
    for text in chain(labels.keys(), labels.values()) if isinstance(labels, dict) else ():
        if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError("an id or a label holds what is no Unicode character")
    return labels


Name = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^/\x00-\x1f\x7f]+$",
        description="Of the classifier: in one line and without slashes.",
        examples=["category"],
    ),
]
Label = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        description="The attribute that holds the labels.",
        examples=["category"],
    ),
]
ByHand = Annotated[
    # the bound stands inside: outside, with a validator between, it would be asked of null as well
    Annotated[dict[str, str | None], Field(max_length=MOST_LABELS), BeforeValidator(_unicode)] | None,
    Field(
        description="Labels by item id, in the place of an attribute; null: none.",
        examples=[{"catalog/chair_0.jpg": "chair", "catalog/lamp_0.jpg": "lamp"}],
    ),
]
GroupBy = Annotated[
    str | None,
    Field(
        max_length=200,
        description="An attribute whose equal values mark items that belong together, such as views of one product: "
        "they never stand on both sides of a fold.",
        examples=["product"],
    ),
]


class TrainRequest(Body):
    """What to learn from: `label` or `labels`."""

    label: Label = None
    labels: ByHand = None
    name: Name = None
    method: Literal["auto", "linear", "neighbours", "prototypes"] = Field(
        "auto", description="`auto` takes what has the least cross-validated log loss."
    )
    group_by: GroupBy = None
    where: Where = None
    class_weights: Literal["balanced", "none"] = Field(
        "balanced", description="`balanced`: every class counts the same; `none`: every item does."
    )
    false_reject_rate: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Share of items of known classes that may be called unknown; 0 rejects nothing.",
    )
    seed: Seed = 0


class PredictRequest(Body):
    """What to label: pictures, items, or both."""

    image: list[PictureBytes] = Field(
        default_factory=list, max_length=MOST_IMAGES, description="Image files."
    )
    id: list[str] = Field(
        default_factory=list, max_length=1000, description="Items' ids.", examples=[["catalog/chair_0.jpg"]]
    )


class ApplyRequest(Body):
    """Which items to label, and where the labels go."""

    attribute: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Where labels go, and confidences beside it; null: `NAME_predicted` and `NAME_confidence`.",
    )
    where: Where = None
    overwrite: bool = Field(False, description="Allow that the attribute exists already.")


class ReviewRequest(Body):
    """Whose labels to review: `label`, `labels`, or those of the saved classifier `name`."""

    label: Label = None
    labels: ByHand = None
    name: Name = None
    group_by: GroupBy = None
    where: Where = None
    count: int = Field(24, ge=1, le=1000, description="Most entries of each list.")
    seed: Seed = 0


class ClassifierSummary(BaseModel):
    """One classifier."""

    name: str
    labels: list[str] = Field(description="The classes.")
    method: str
    examples: int = Field(description="Items it learned from.")
    accuracy: float | None = Field(description="Out of fold; null: nothing could be held out.")
    version: int = Field(description="Counts up with everything that is saved.")


class ClassifiersAnswer(BaseModel):
    """The classifiers of a collection, the oldest first."""

    classifiers: list[ClassifierSummary]


class ClassAnswer(BaseModel):
    """One class; null where nothing can be said."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int = Field(description="Items of the class that were checked.")


class ReportAnswer(BaseModel):
    """How good a classifier is on items that it had not seen."""

    items: int
    accuracy: float
    macro_recall: float
    macro_f1: float
    log_loss: float
    brier: float
    ece: float = Field(description="Expected calibration error of the confidences, 15 bins of equal width.")
    ece_adaptive: float = Field(description="The same with bins of equal numbers of items.")
    ece_uncalibrated: float = Field(description="`ece` before calibration.")
    classes: list[ClassAnswer]
    confusions: list[tuple[int, int, int]] = Field(
        description="The confusion matrix: true class, predicted class, items, of all pairs that occur; classes are "
        "places in `classes`."
    )
    reliability: list[tuple[float, float, int]] = Field(
        description="Bins of the reliability diagram: mean confidence, accuracy, predictions."
    )
    reliability_uncalibrated: list[tuple[float, float, int]]


class ClassifierAnswer(BaseModel):
    """One classifier and how good it is."""

    name: str
    labels: list[str]
    report: ReportAnswer | None = Field(description="Null: nothing could be held out.")
    provenance: Provenance


class PredictionAnswer(BaseModel):
    """What a classifier says of one picture or item."""

    input: str = Field(description="An item's id; or `image.0`, `image.1`, ... in the order sent.")
    label: str = Field(description="The class, or `unknown` for what is like none of the examples.")
    confidence: float = Field(description="Calibrated probability that the label is right.")
    alternatives: list[tuple[str, float]] = Field(
        description="The most probable classes, best first, whatever the label."
    )


class PredictionsAnswer(BaseModel):
    """What a classifier says, pictures first, in the order sent."""

    classifier: str
    predictions: list[PredictionAnswer]
    provenance: Provenance


class Removed(BaseModel):
    """How many were removed."""

    removed: int


class LikelyError(BaseModel):
    """An item whose label is likely wrong."""

    id: str
    label: str = Field(description="What it is labelled.")
    suggested: str = Field(description="What it more likely is.")
    self_confidence: float = Field(description="Calibrated probability of its label, out of fold.")
    margin: float = Field(description="(that - the greatest probability of another label + 1) / 2.")
    thumbnail: str
    original: str


class NextToLabel(BaseModel):
    """An item without a label that would teach much."""

    id: str
    likeliest: str = Field(description="What it most likely is.")
    probability: float = Field(description="Of that, calibrated.")
    thumbnail: str
    original: str


class OutlierAnswer(BaseModel):
    """A labelled item that is like no others."""

    id: str
    label: str
    within: float | None = Field(description="Cosine with the 5th nearest item of the same label.")
    outside: float | None = Field(description="Cosine with the 5th nearest item of other labels.")
    thumbnail: str
    original: str


class ReviewAnswer(BaseModel):
    """What a review found."""

    errors: list[LikelyError] = Field(description="The worst first.")
    errors_found: int = Field(description="How many there are in all.")
    to_label: list[NextToLabel] = Field(description="The most informative first.")
    outliers: list[OutlierAnswer] = Field(description="The strangest first.")
    provenance: dict[str, Any]
