"""What is asked and answered about cameras, identities, the gallery and searches for people and things."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from lookalike.service.schemas.bodies import Body, PictureBytes

IdentityId = Annotated[str, Field(description="Id of an identity.", examples=["i3"])]
TrackletId = Annotated[str, Field(description="Id of a tracklet.", examples=["t17"])]
Time = Annotated[str, Field(description="ISO 8601 with its zone.", examples=["2024-06-11T09:00:26+00:00"])]
Name = Annotated[
    str,
    Field(
        min_length=1, max_length=200, description="What somebody or something is called.", examples=["Ada"]
    ),
]

From = Annotated[
    AwareDatetime | None,
    Query(
        alias="from",
        description="Only visits that did not end before this time, ISO 8601 with its zone.",
        examples=["2024-06-11T09:00:00Z"],
    ),
]
To = Annotated[
    AwareDatetime | None,
    Query(
        alias="to",
        description="Only visits that began by this time, ISO 8601 with its zone.",
        examples=["2024-06-11T10:00:00Z"],
    ),
]
Camera = Annotated[
    str | None, Query(max_length=200, description="Only visits to this camera.", examples=["door"])
]


def between(start: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None] | None:
    """Two ends of a time as a collection takes them; None: all of it."""
    return None if start is None and end is None else (start, end)


class CameraAnswer(BaseModel):
    """A camera and how far it was looked at; without the place of its recording."""

    name: str = Field(description="Unique in the collection.", examples=["door"])
    kind: Literal["video", "frames", "url"]
    start: Time = Field(description="Time of its first frame.")
    fps: float | None = Field(description="Frames a second; null where it was not said or measured.")
    size: tuple[int, int] | None = Field(description="Width and height of its pictures, pixels.")
    last: Time | None = Field(description="Time of the last frame that was looked at.")
    frames: int = Field(description="How many were looked at.")
    tracklets: int = Field(description="How many it has.")
    retain: float | None = Field(description="Seconds after which what it saw is erased; null: it is kept.")


class Cameras(BaseModel):
    """All cameras, in the order in which they came."""

    cameras: list[CameraAnswer]


class VisitAnswer(BaseModel):
    """One tracklet: a stay of one person or thing in the view of one camera."""

    tracklet: TrackletId
    camera: str
    start: Time = Field(description="First sighting.")
    end: Time = Field(description="Last sighting.")
    sightings: int
    identity: IdentityId | None = Field(description="Null: it was left out of all identities.")
    quality: float = Field(description="Of its best sighting, 0 to 1.")
    category: int = Field(description="Its class by number; 1 is a person.")
    frame: int = Field(description="Number of the frame of its best sighting, from 1.")
    box: tuple[float, float, float, float] = Field(
        description="Of its best sighting: left, top, width, height in pixels."
    )
    similarity: float | None = Field(description="Cosine with the picture asked for, if one was.")
    strength: float | None = Field(
        description="Share of comparisons with somebody else that are less similar, as estimated."
    )
    crop: str = Field(description="Link to its best picture, WebP.")
    clip: str = Field(description="Link to a clip of the recording.")


class RecognitionAnswer(BaseModel):
    """Whom of the gallery an identity looks like."""

    name: str
    similarity: float
    false_match_rate: float = Field(description="Share of comparisons with somebody else that reach this.")


class IdentityAnswer(BaseModel):
    """One person or thing across cameras and time."""

    id: IdentityId
    name: str | None = Field(description="What a user calls it.")
    recognised: RecognitionAnswer | None
    first: Time
    last: Time
    cameras: list[str] = Field(description="In the order in which they saw it first.")
    sightings: int
    best: TrackletId = Field(description="The tracklet with the best picture.")
    visits: list[VisitAnswer] = Field(description="Its tracklets in order of time.")
    crop: str = Field(description="Link to its best picture, WebP.")


class IdentitiesAnswer(BaseModel):
    """Identities by first sighting."""

    identities: list[IdentityAnswer]
    cameras: list[str] = Field(description="Names of all cameras of the collection.")
    provenance: dict[str, object] = Field(description="What was asked, and the version of what answered.")


class Renamed(BaseModel):
    """What an identity is called now."""

    identity: IdentityId
    name: str | None


class Rename(Body):
    """A name for an identity, or null to take it away."""

    name: Name | None


class Merge(Body):
    """Two identities that are one."""

    first: Name = Field(description="Id or name; the id that stays.", examples=["i3"])
    second: Name = Field(description="Id or name.", examples=["i9"])


class Merged(BaseModel):
    """The identity that two have become."""

    identity: IdentityId
    merged: tuple[str, str]


class Split(Body):
    """Tracklets that are somebody else."""

    tracklets: list[TrackletId] = Field(
        min_length=1,
        max_length=10_000,
        description="Some, not all, of the identity's.",
        examples=[["t12", "t15"]],
    )


class SplitAnswer(BaseModel):
    """The identity that was split off."""

    model_config = ConfigDict(serialize_by_alias=True)

    identity: IdentityId = Field(description="The new one.")
    origin: str = Field(alias="from", description="The one that it was a part of.")
    tracklets: list[TrackletId]


class Removed(BaseModel):
    """An identity that is none."""

    identity: str
    tracklets: int = Field(description="How many belong to no identity now.")


Rate = Annotated[
    float | None,
    Field(
        gt=0,
        lt=1,
        description="Share of comparisons with somebody else that may be taken for a match; by default 0.01.",
        examples=[0.01],
    ),
]
Reason = Annotated[
    str, Field(max_length=500, description="Why; for the log of searches.", examples=["lost bag, case 118"])
]


class Follow(Body):
    """Whom or what to look for: a picture, or an identity."""

    image: PictureBytes | None = Field(
        default=None,
        description="A picture that shows the person or thing from head to foot and little else.",
    )
    identity: Name | None = Field(default=None, description="Id or name.", examples=["i3"])
    start: AwareDatetime | None = Field(
        default=None, alias="from", strict=False, description="Only visits that did not end before this time."
    )
    end: AwareDatetime | None = Field(
        default=None, alias="to", strict=False, description="Only visits that began by this time."
    )
    camera: Name | None = Field(default=None, description="Only visits to this camera.", examples=["door"])
    crop: str | None = Field(
        default=None,
        max_length=200,
        description="The region of the picture to look at: x,y,width,height in pixels or, all at most 1, fractions.",
        examples=["10,20,80,200"],
    )
    false_match_rate: Rate = None
    reason: Reason = ""


class Enrol(Body):
    """A name, and a few pictures of whom or what it means."""

    name: Name
    image: list[PictureBytes] = Field(
        min_length=1,
        max_length=32,
        description="Pictures that show the person or thing from head to foot and little else.",
    )
    false_match_rate: Rate = None
    reason: Reason = ""


class LineAnswer(BaseModel):
    """What a picture has to reach to be taken for a match, and how often that is wrong."""

    cosine: float
    false_match_rate: float
    miss_rate: float
    different: int = Field(description="Comparisons of different things that the line was learned from.")
    same: int = Field(description="Comparisons of one thing that it was learned from.")


class CandidateAnswer(BaseModel):
    """An identity that a picture was compared with."""

    identity: IdentityId
    name: str | None
    similarity: float = Field(description="Cosine with its most similar tracklet.")
    matched: bool = Field(description="Whether that reaches the line.")
    crop: str = Field(description="Link to its best picture, WebP.")


class FollowingAnswer(BaseModel):
    """Where and when somebody or something was seen, in order of time."""

    identity: IdentityId | None = Field(description="Null: the picture is of somebody unknown.")
    name: str | None
    asked_by: Literal["identity", "name", "image"]
    visits: list[VisitAnswer]
    line: LineAnswer | None
    candidates: list[CandidateAnswer] = Field(
        description="The identities most similar to the picture, best first: a match is a hint, not a proof."
    )
    cameras: list[str]
    provenance: dict[str, object]
    query_thumbnail: str | None = Field(description="The picture that was asked for, as a data URL.")


class EnrolledAnswer(BaseModel):
    """Somebody or something that is recognised by name."""

    name: str
    pictures: list[str] = Field(description="Links to the enrolled pictures, WebP.")
    usable: bool = Field(
        description="Whether its descriptions can be compared with the collection's tracklets; else enrol it anew."
    )
    identities: list[IdentityId] = Field(description="Those recognised as it.")


class Gallery(BaseModel):
    """Everybody and everything that is enrolled, by name."""

    gallery: list[EnrolledAnswer]


class Unenrolled(BaseModel):
    """Whether there was such a name."""

    name: str
    unenrolled: bool


class TransitionAnswer(BaseModel):
    """Going from one camera to another."""

    origin: str
    target: str = Field(description="Equal to the origin where somebody left and came back.")
    times: int = Field(description="How often.")
    together: int = Field(description="Of these, how often both saw it at a time.")
    shortest: float = Field(description="Seconds from the last sighting of one to the first of the other.")
    typical: float = Field(description="The median of these seconds.")
    longest: float


class Transitions(BaseModel):
    """How identities go from camera to camera, the most frequent first."""

    transitions: list[TransitionAnswer]


class SearchLogged(BaseModel):
    """One search for a person or thing."""

    time: Time
    who: str
    kind: str = Field(examples=["follow image"])
    query: str = Field(
        description="SHA-256 of what was asked for; pictures and names themselves are not kept."
    )
    reason: str
    answers: int = Field(description="How many tracklets were the answer.")


class Audit(BaseModel):
    """Searches for people and things, oldest first."""

    searches: list[SearchLogged]


class ErasedAnswer(BaseModel):
    """What retention took away."""

    tracklets: dict[str, int] = Field(description="By camera.")
    sightings: int
    identities: int
