/** Changes to many items: attributes set, items removed. */

import { collectionPath, patch, post } from "./client";
import type { AttributeValue } from "./types";

/** Items of one request; bodies stay small, and one that fails says where to go on. */
const BATCH = 1000;

export type Changes = Record<string, Record<string, AttributeValue>>;

/** Set attributes, `{id: {attribute: value}}`; null takes a value away. Answers the ids that changed. */
export async function setAttributes(
  collection: string,
  changes: Changes,
  onProgress?: (done: number, total: number) => void,
): Promise<string[]> {
  const entries = Object.entries(changes);
  const changed: string[] = [];
  for (let start = 0; start < entries.length; start += BATCH) {
    const batch = Object.fromEntries(entries.slice(start, start + BATCH));
    changed.push(...(await patch<{ changed: string[] }>(collectionPath(collection, "items"), batch)).changed);
    onProgress?.(Math.min(start + BATCH, entries.length), entries.length);
  }
  return changed;
}

/** Remove items; answers how many there were. */
export async function removeItems(collection: string, ids: readonly string[]): Promise<number> {
  let removed = 0;
  for (let start = 0; start < ids.length; start += BATCH) {
    const batch = ids.slice(start, start + BATCH);
    removed += (await post<{ removed: number }>(collectionPath(collection, "items", "delete"), { ids: batch })).removed;
  }
  return removed;
}
