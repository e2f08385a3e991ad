"""Clusters: found in the background, listed, looked into, named."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from lookalike.collection.clustering_result import UnknownCluster
from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.jobs import Progress
from lookalike.service.packed import packed
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
) -> Response:
    """The saved clusters, and in which of them items belong that came later; nothing is saved. Before the first
    `POST .../clusters` there are none, which the problem `not-fitted` says."""
    clusters = service_of(request).clusters

    def read() -> Response:
        return packed(ClustersAnswer, _public(collection, clusters.of(opened).overview(representatives)))

    return await service_of(request).workers.run(read)


@router.post("/update", response_model=ClustersAnswer)
async def update_clusters(
    request: Request, collection: str, opened: Writable, representatives: Representatives = 6
) -> dict[str, Any]:
    """Save in which clusters items belong that came later, also under the attribute that clustering wrote; no item
    changes its cluster."""

    def update() -> dict[str, Any]:
        return opened.clusters().overview(representatives)

    return _public(collection, await service_of(request).workers.run(update))


@router.get("/{label}", response_model=ClusterItems)
async def list_cluster(
    request: Request,
    collection: str,
    opened: Readable,
    label: Label,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS)] = 50,
    after: Annotated[int, Query(ge=0, le=MOST_OFFSET, description="`next` of the page before.")] = 0,
) -> Response:
    """The items of one cluster, those that belong to it most strongly first."""
    clusters = service_of(request).clusters

    def read() -> Response:
        page = opened.cluster_page(label, after=after, limit=limit, groups=clusters.of(opened))
        following = None if page.next is None else str(page.next)
        items = [links.item(collection, each) for each in page.items]
        return packed(ClusterItems, {"items": items, "next": following})

    try:
        return await service_of(request).workers.run(read)
    except UnknownCluster as error:
        raise Refused("not-found", str(error)) from None


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
