/** Searching and explaining: `POST search`, `explain`, `explain.png`. */

import { bytes, collectionPath, post, send } from "./client";
import type { SearchAnswer } from "./types";

export interface SearchRequest {
  image?: File[];
  minus_image?: File[];
  id?: string[];
  minus_id?: string[];
  text?: string;
  but?: string;
  crop?: string;
  k: number;
  where?: string;
  group_by?: string;
  diversity?: number;
  regions?: string;
  rerank?: string;
  recall?: number;
}

/** As a form when there are pictures, as JSON otherwise; both have the same fields. */
export async function search(collection: string, request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
  const path = collectionPath(collection, "search");
  if (!request.image?.length && !request.minus_image?.length) return post<SearchAnswer>(path, request, { signal });
  const response = await send("POST", path, formOf(request), { signal });
  return (await response.json()) as SearchAnswer;
}

function formOf(fields: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (each instanceof File) form.append(name, each, each.name);
      else form.append(name, String(each));
    }
  }
  return form;
}

/** What an item is compared with: another item, or a photo and its crop. */
export type Compared = { id: string } | { image: File; crop?: string };

export interface Explanation {
  similarity: number;
  strength?: number | null;
  method: string;
}

export async function explain(collection: string, a: Compared, b: string, signal: AbortSignal): Promise<Explanation> {
  const path = collectionPath(collection, "explain");
  const response =
    "id" in a ? await send("GET", path, undefined, { signal, params: { a: a.id, b } }) : await send("POST", path, formOf({ ...a, b }), { signal });
  return (await response.json()) as Explanation;
}

/** The picture with both heat-maps and their matching regions. */
export async function explainPicture(collection: string, a: Compared, b: string, signal: AbortSignal): Promise<Blob> {
  const path = collectionPath(collection, "explain.png");
  const data =
    "id" in a
      ? await bytes(path, { signal, params: { a: a.id, b } })
      : await bytes(path, { method: "POST", body: formOf({ ...a, b }), signal });
  return new Blob([data], { type: "image/png" });
}
