"""Clusters: found in the background, listed, looked into, named."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from lookalike.collection.clustering_result import UnknownCluster
from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.jobs import Progress
from lookalike.service.problems import Refused
from lookalike.service.schemas.clusters import ClusterItems, ClusterName, ClusterRequest, ClustersAnswer
from lookalike.service.starting import STARTS, check_filter, start
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}/clusters", tags=["clusters"])

MOST_ITEMS = 500
MOST_OFFSET = 10**9

Label = Annotated[
    int, Path(ge=-1, le=MOST_OFFSET, description="A cluster's number; -1: items of no cluster.")
]
Representatives = Annotated[int, Query(ge=0, le=50, description="Ids given of each cluster.")]


@router.post("", **STARTS)
async def find_clusters(
    request: Request, response: Response, collection: str, opened: Writable, asked: ClusterRequest
) -> dict[str, Any]:
    """Group the items by what they look like, name the groups and save them; the job's result is what
    `GET .../clusters` answers."""

    await check_filter(request, opened, asked.where)

    def work(progress: Progress) -> dict[str, Any]:
        progress.say("finding groups")
        groups = opened.cluster(**asked.model_dump(), progress=progress)
        return _public(collection, groups.overview())

    return start(request, response, "clusters", collection, work)


@router.get("", response_model=ClustersAnswer)
async def list_clusters(
    request: Request, collection: str, opened: Readable, representatives: Representatives = 6
) -> dict[str, Any]:
    """The saved clusters; items that came later are put into them first."""

    def read() -> dict[str, Any]:
        return opened.clusters().overview(representatives)

    return _public(collection, await service_of(request).workers.run(read))


@router.get("/{label}", response_model=ClusterItems)
async def list_cluster(
    request: Request,
    collection: str,
    opened: Readable,
    label: Label,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS)] = 50,
    after: Annotated[int, Query(ge=0, le=MOST_OFFSET, description="`next` of the page before.")] = 0,
) -> dict[str, Any]:
    """The items of one cluster, those that belong to it most strongly first."""
    try:
        page = await service_of(request).workers.run(opened.cluster_page, label, after=after, limit=limit)
    except UnknownCluster as error:
        raise Refused("not-found", str(error)) from None
    return {
        "items": [links.item(collection, each) for each in page.items],
        "next": None if page.next is None else str(page.next),
    }


@router.patch("/{label}", response_model=ClustersAnswer)
async def name_cluster(
    request: Request, collection: str, opened: Writable, label: Label, asked: ClusterName
) -> dict[str, Any]:
    """Give a cluster another name, also under the attribute that clustering wrote."""

    def rename() -> dict[str, Any]:
        return opened.name_cluster(label, asked.name).overview()

    try:
        return _public(collection, await service_of(request).workers.run(rename))
    except UnknownCluster as error:
        raise Refused("not-found", str(error)) from None


def _public(collection: str, overview: dict[str, Any]) -> dict[str, Any]:
    return {**overview, "provenance": links.provenance(collection, overview["provenance"])}
