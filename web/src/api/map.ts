/** The map: where each item lies in a plane. */

import { bytes, collectionPath, type Options } from "./client";

/** Ids, places, clusters and the wanted attributes as an Arrow IPC stream. */
export function readMap(collection: string, attributes: readonly string[], options: Options = {}): Promise<ArrayBuffer> {
  return bytes(collectionPath(collection, "map"), { ...options, params: { format: "arrow", attribute: [...attributes] } });
}

export const mapJobPath = (collection: string): string => collectionPath(collection, "map");
