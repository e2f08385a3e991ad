/** The start of a new search, from wherever a photo comes. */

import { toastError } from "../ui/toasts";
import { changed, navigate, pageOf } from "./address";
import { keepUpload } from "./uploads";

/** Changes of the address that begin a new query: what belonged to the one before goes, filters and grouping stay. */
export const FRESH = { photo: null, id: null, minus: null, minus_photo: null, text: null, but: null, crop: null, k: null, open: null, why: null } as const;

export const MOST_PHOTOS = 8;

/** Search by some photos; from another page only the collection goes along. */
export async function searchByPhotos(files: File[]): Promise<void> {
  try {
    const hashes = await Promise.all(files.slice(0, MOST_PHOTOS).map(keepUpload));
    const url = new URL(window.location.href);
    const there = pageOf(url.pathname) === "search";
    const kept = there ? url.searchParams : changed(new URLSearchParams(), { collection: url.searchParams.get("collection") });
    navigate("search", changed(kept, { ...FRESH, photo: hashes }));
  } catch (error) {
    toastError(error);
  }
}
