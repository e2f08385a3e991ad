"""The types of problems: stable names, what each one means and what to do about it."""

from __future__ import annotations

from typing import NamedTuple


class ProblemType(NamedTuple):
    """One kind of problem.

    Args:
        status: Of the answer.
        title: In a few words; the same for every problem of the type.
        meaning: What it means, and what to do next.
    """

    status: int
    title: str
    meaning: str


TYPES = {
    "validation": ProblemType(
        422,
        "A part of the request is not valid",
        "Each entry of `errors` names a field and says what is wrong with it. /docs shows what each request expects.",
    ),
    "input": ProblemType(
        422,
        "A value is not usable",
        "The request has the right form, but a value cannot be used with this collection; `detail` says which one, "
        "and what is expected.",
    ),
    "filter": ProblemType(
        422,
        "The filter cannot be read",
        "`where` is not a filter on this collection's attributes. `position` is the index of the first character "
        'that is wrong. Filters look like: price < 300 and category in ("Kitchen", "Office").',
    ),
    "image": ProblemType(
        422, "A picture cannot be read", "The picture is damaged, too large, or of a kind that is not known."
    ),
    "source": ProblemType(
        422,
        "A source of pictures cannot be read",
        "The source cannot be read, or its ids would collide with those of another one.",
    ),
    "bad-request": ProblemType(
        400, "The request cannot be read", "Its body is not what its Content-Type says, or it is cut off."
    ),
    "missing-key": ProblemType(
        401,
        "An API key is needed",
        "Send `Authorization: Bearer lk_...`. Whoever runs the service makes keys with `lookalike keys create`.",
    ),
    "invalid-key": ProblemType(
        401, "The API key opens nothing", "It is not one of this service, was revoked, or has expired."
    ),
    "scope": ProblemType(
        403,
        "The API key does not allow this",
        "`scope` is what is needed: read, write or admin, each of which allows what those before it allow.",
    ),
    "foreign-origin": ProblemType(
        403,
        "A page of another origin may not do this",
        "Browsers say which page a request comes from. Whoever runs the service allows others with --allow-origin.",
    ),
    "forbidden": ProblemType(403, "This is not allowed", "`detail` says why."),
    "unknown-item": ProblemType(404, "There is no such item", "The collection does not hold the id."),
    "not-fitted": ProblemType(
        404,
        "This was not made yet",
        "Clusters, a map, a classifier or a recommender of that name was not made on the collection: make it first.",
    ),
    "unknown-collection": ProblemType(
        404,
        "There is no such collection",
        "No collection of that name is served here, or the key is not for it. GET /v1/collections lists them.",
    ),
    "not-found": ProblemType(
        404, "There is nothing here", "GET /openapi.json lists what there is; /docs shows it."
    ),
    "method-not-allowed": ProblemType(
        405, "The method is not possible here", "The header `Allow` lists those that are."
    ),
    "slow-body": ProblemType(
        408,
        "The request came too slowly",
        "Its body paused for too long, or came slower than the least rate.",
    ),
    "conflict": ProblemType(409, "This does not fit what is there", "`detail` says what is in the way."),
    "too-large": ProblemType(
        413,
        "The request is too large",
        "`limit` is the most bytes of a body: send less, or in several requests.",
    ),
    "range": ProblemType(416, "The range is not there", "The bytes asked for lie outside of the file."),
    "unsupported-type": ProblemType(
        415, "The Content-Type is not understood", "/docs shows which ones each request may have."
    ),
    "host": ProblemType(
        421,
        "The service does not answer to this name",
        "The request's Host is none that this service knows, as when a page of a stranger has its name point here. "
        "Whoever runs the service adds names with --allow-host.",
    ),
    "too-many-requests": ProblemType(
        429, "Too many requests", "Wait as many seconds as `Retry-After` says. `RateLimit` says what is left."
    ),
    "internal": ProblemType(
        500,
        "Something went wrong here",
        "The log of the service has the cause under the request's id, which is `instance`.",
    ),
    "missing-extra": ProblemType(
        501, "An optional part is not installed", "Whoever runs the service installs it as `detail` says."
    ),
    "interrupted": ProblemType(
        502,
        "The answer was lost",
        "The process that worked on the request ended before it answered. The change may or may not have been made: "
        "look whether it was, then ask again.",
    ),
    "busy": ProblemType(
        503, "The service is busy", "Nothing was done. Ask again after as many seconds as `Retry-After` says."
    ),
    "ending": ProblemType(
        503,
        "The service is about to end",
        "It finishes what it has begun and takes nothing new: ask again later.",
    ),
    "time-limit": ProblemType(
        504, "It took too long", "The request was given up after the time limit: ask for less, or later."
    ),
    "refused": ProblemType(400, "The request was refused", "`detail` says why."),
}
"""By name; a name never changes its meaning."""

NAMES = {
    400: "bad-request",
    401: "missing-key",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "slow-body",
    409: "conflict",
    413: "too-large",
    415: "unsupported-type",
    416: "range",
    429: "too-many-requests",
    500: "internal",
    501: "missing-extra",
    503: "busy",
    504: "time-limit",
}
"""Names for errors that only have a status."""
