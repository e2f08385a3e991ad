/** The gallery: people and things that are recognised by name. */

import { collectionPath, del, encodePath, get, type Options } from "./client";

export interface Enrolled {
  name: string;
  /** Links to the enrolled pictures. */
  pictures: string[];
  /** Whether its pictures can be compared with the tracklets; else it is to be enrolled anew. */
  usable: boolean;
  /** Ids of the identities that are recognised as it. */
  identities: string[];
}

export const MOST_PICTURES = 32;

export async function listGallery(collection: string, options?: Options): Promise<Enrolled[]> {
  return (await get<{ gallery: Enrolled[] }>(collectionPath(collection, "gallery"), options)).gallery;
}

export const galleryPath = (collection: string): string => collectionPath(collection, "gallery");

export function unenrol(collection: string, name: string): Promise<{ unenrolled: boolean }> {
  return del(`${galleryPath(collection)}/${encodePath(name)}`);
}
