/** Clusters and duplicates. */

import { collectionPath, get, type Options, patch, post } from "./client";
import type { ItemPage } from "./types";

export interface Cluster {
  label: number;
  name: string;
  size: number;
  medoid: string | null;
  /** Its medoid, then ids that belong most strongly. */
  representatives: string[];
  cohesion: number;
}

/** Number of what is in no cluster. */
export const NOISE = -1;

export interface Clusters {
  /** The largest first. */
  clusters: Cluster[];
  /** How many items are in no cluster. */
  noise: number;
  assigned: number;
  /** Items that are newer than the groups and shown in those that they fit; that is not saved yet. */
  unsaved: number;
  method: string;
  reason: string;
  stability: number | null;
  silhouette: number;
}

export interface ClusterSettings {
  k: number | null;
  granularity: "auto" | "coarse" | "fine";
  method: "auto" | "graph" | "density" | "kmeans";
  min_size: number | null;
  where: string | null;
  attribute: string | null;
}

export interface DuplicateGroup {
  /** The one to keep first. */
  ids: string[];
  kind: "exact" | "near";
  similarity: number;
  reason: string;
}

export interface Duplicates {
  details: DuplicateGroup[];
  items: number;
  others: number;
  threshold: number | null;
  precision: number | null;
  recall: number | null;
  next: number | null;
}

export interface DuplicateSettings {
  kind: "near" | "exact";
  precision: number | null;
  threshold: number | null;
  where: string | null;
}

export const clustersPath = (collection: string): string => collectionPath(collection, "clusters");
export const duplicatesPath = (collection: string): string => collectionPath(collection, "duplicates");

export function readClusters(collection: string, options?: Options): Promise<Clusters> {
  return get<Clusters>(clustersPath(collection), options);
}

/** Save in which groups newer items are. */
export function updateClusters(collection: string): Promise<Clusters> {
  return post<Clusters>(collectionPath(collection, "clusters", "update"));
}

export function readCluster(collection: string, label: number, after: string | null, options: Options = {}): Promise<ItemPage> {
  return get<ItemPage>(collectionPath(collection, "clusters", String(label)), { ...options, params: { limit: 60, after } });
}

export function nameCluster(collection: string, label: number, name: string): Promise<Clusters> {
  return patch<Clusters>(collectionPath(collection, "clusters", String(label)), { name });
}

export function readDuplicates(collection: string, after: number, options: Options = {}): Promise<Duplicates> {
  return get<Duplicates>(duplicatesPath(collection), { ...options, params: { limit: 100, after } });
}
