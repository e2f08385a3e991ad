/** Collections and their items. */

import type { CollectionInfo, CollectionSummary, FacetAnswer, Item, ItemPage } from "./types";
import { collectionPath, encodePath, get, type Options } from "./client";

export async function listCollections(options?: Options): Promise<CollectionSummary[]> {
  return (await get<{ collections: CollectionSummary[] }>("/v1/collections", options)).collections;
}

export function readCollection(collection: string, options?: Options): Promise<CollectionInfo> {
  return get<CollectionInfo>(collectionPath(collection), options);
}

export function listItems(
  collection: string,
  wanted: { where?: string | null; limit?: number; after?: string | null },
  signal?: AbortSignal,
): Promise<ItemPage> {
  return get<ItemPage>(collectionPath(collection, "items"), { params: wanted, ...(signal ? { signal } : {}) });
}

export function readItem(collection: string, id: string, signal?: AbortSignal): Promise<Item> {
  return get<Item>(`${collectionPath(collection, "items")}/${encodePath(id)}`, signal ? { signal } : {});
}

export function readFacets(
  collection: string,
  attributes: string[],
  where: string | null,
  signal?: AbortSignal,
): Promise<FacetAnswer> {
  return get<FacetAnswer>(collectionPath(collection, "facets"), {
    params: { attributes: attributes.join(","), where },
    ...(signal ? { signal } : {}),
  });
}

export function thumbnailUrl(collection: string, id: string): string {
  return `${collectionPath(collection, "thumbnails")}/${encodePath(id)}`;
}

/** The picture itself, upright; `size` bounds its longer side in pixels. */
export function originalUrl(collection: string, id: string, size?: number): string {
  const path = `${collectionPath(collection, "originals")}/${encodePath(id)}`;
  return size ? `${path}?size=${size}` : path;
}
