import { listItems } from "../../api/collections";
import { search, type SearchRequest } from "../../api/search";
import type { Hit, Provenance } from "../../api/types";
import { type Loaded, useLoad } from "../../state/load";
import type { Upload } from "../../state/uploads";
import { writeCrop } from "./crop";
import { canCrop, hasPicture, isSearch, type Query } from "./query";

/** What the grid shows: hits of a search, or items of the collection in their order (then without strengths). */
export interface Found {
  hits: Hit[];
  searched: boolean;
  answeredBy: string | null;
  provenance: Provenance | null;
  /** Time the service took, and until the answer was here, ms. */
  took: number | null;
  total: number;
  hasMore: boolean;
}

const LONGEST_PAGE = 200;

async function browse(collection: string, where: string | null, count: number, signal: AbortSignal): Promise<Found> {
  const started = performance.now();
  const hits: Hit[] = [];
  let after: string | null = null;
  do {
    const page = await listItems(collection, { where, limit: Math.min(LONGEST_PAGE, count - hits.length), after }, signal);
    hits.push(...page.items.map((item) => ({ ...item, score: 0, strength: null })));
    after = page.next;
  } while (after !== null && hits.length < count);
  return { hits, searched: false, answeredBy: null, provenance: null, took: null, total: performance.now() - started, hasMore: after !== null };
}

export function requestOf(query: Query, where: string | null, images: File[], minusImages: File[]): SearchRequest {
  const request: SearchRequest = { k: query.k };
  if (images.length > 0) request.image = images;
  if (minusImages.length > 0) request.minus_image = minusImages;
  if (query.ids.length > 0) request.id = query.ids;
  if (query.minusIds.length > 0) request.minus_id = query.minusIds;
  if (query.text) request.text = query.text;
  if (query.but && hasPicture(query)) request.but = query.but;
  if (query.crop && canCrop(query)) request.crop = writeCrop(query.crop);
  if (where) request.where = where;
  if (query.groupBy) request.group_by = query.groupBy;
  if (query.diversity > 0) request.diversity = query.diversity;
  if (query.regions !== "whole" && hasPicture(query)) request.regions = query.regions;
  if (query.rerank !== "none") request.rerank = query.rerank;
  if (query.recall !== null) request.recall = query.recall;
  return request;
}

const filesOf = (uploads: Upload[]) => uploads.flatMap((upload) => (upload.state === "here" ? [upload.file] : []));

/** The answer to the page's query; nothing is asked while a photo is being looked up or when none of them is left. */
export function useSearch(collection: string, version: number, query: Query, where: string | null, photos: Upload[], minusPhotos: Upload[]): Loaded<Found> {
  const looking = [...photos, ...minusPhotos].some((upload) => upload.state === "looking");
  const images = filesOf(photos);
  const minusImages = filesOf(minusPhotos);
  const request = requestOf(query, where, images, minusImages);
  const nothingLeft = query.photos.length > 0 && images.length === 0 && query.ids.length === 0 && query.text === "";
  const key = JSON.stringify([collection, version, { ...request, image: null, minus_image: null }, query.photos, query.minusPhotos, looking, nothingLeft]);
  return useLoad(
    looking || nothingLeft
      ? null
      : async (signal): Promise<Found> => {
          if (!isSearch(query)) return browse(collection, where, query.k, signal);
          const started = performance.now();
          const answer = await search(collection, request, signal);
          return {
            hits: answer.hits,
            searched: true,
            answeredBy: answer.answered_by,
            provenance: answer.provenance,
            took: answer.took_ms,
            total: performance.now() - started,
            hasMore: answer.hits.length >= query.k,
          };
        },
    [key],
  );
}
