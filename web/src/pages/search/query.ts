/** The page's state as the address bar holds it. */

import type { AttributeType } from "../../api/types";
import { type Crop, parseCrop } from "./crop";
import { readSelections, type Selections } from "../../filtering/filters";

export const PAGE_OF_HITS = 48;
/** The service's own limit by default. */
export const MOST_HITS = 1000;

export const REGIONS = ["whole", "pooled", "windows"] as const;
export type Regions = (typeof REGIONS)[number];
export const RERANKINGS = ["none", "alpha-qe", "dba", "k-reciprocal"] as const;
export type Reranking = (typeof RERANKINGS)[number];

export const RECALLS = [0.8, 0.99, 1] as const;

export interface Query {
  /** Photos (hashes of what this browser keeps) and items to look like. */
  photos: string[];
  ids: string[];
  minusPhotos: string[];
  minusIds: string[];
  text: string;
  /** More like this, but with these words. */
  but: string;
  crop: Crop | null;
  selections: Selections;
  expert: string | null;
  groupBy: string | null;
  regions: Regions;
  rerank: Reranking;
  /** Expected share of the exact answer: 1 compares with every item; null: as the index does by default. */
  recall: number | null;
  diversity: number;
  k: number;
  /** Weaker matches are not shown. */
  cut: number;
  /** The item whose details are open, and the one whose likeness is explained. */
  open: string | null;
  why: string | null;
}

function oneOf<T extends string>(known: readonly T[], value: string | null, otherwise: T): T {
  return known.find((each) => each === value) ?? otherwise;
}

function numberIn(text: string | null, low: number, high: number, otherwise: number): number {
  const value = text === null || text === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise;
}

export function readQuery(params: URLSearchParams, types: Record<string, AttributeType>): Query {
  const groupBy = params.get("group_by");
  return {
    photos: params.getAll("photo"),
    ids: params.getAll("id"),
    minusPhotos: params.getAll("minus_photo"),
    minusIds: params.getAll("minus"),
    text: params.get("text") ?? "",
    but: params.get("but") ?? "",
    crop: parseCrop(params.get("crop")),
    selections: readSelections(params, types),
    expert: params.get("where"),
    groupBy: groupBy !== null && groupBy in types ? groupBy : null,
    regions: oneOf(REGIONS, params.get("regions"), "whole"),
    rerank: oneOf(RERANKINGS, params.get("rerank"), "none"),
    recall: RECALLS.find((each) => String(each) === params.get("recall")) ?? null,
    diversity: numberIn(params.get("diversity"), 0, 1, 0),
    k: Math.round(numberIn(params.get("k"), 1, MOST_HITS, PAGE_OF_HITS)),
    cut: numberIn(params.get("cut"), 0, 1, 0),
    open: params.get("open"),
    why: params.get("why"),
  };
}

export function hasPicture(query: Query): boolean {
  return query.photos.length + query.ids.length > 0;
}

/** Whether something is searched for; else the collection is only looked through. */
export function isSearch(query: Query): boolean {
  return hasPicture(query) || query.text !== "";
}

/** A crop is of one picture. */
export function canCrop(query: Query): boolean {
  return query.photos.length + query.ids.length === 1;
}

/** Likeness is explained against a picture; of several, the first. */
export function canExplain(query: Query): boolean {
  return hasPicture(query);
}
