/** Cameras and who or what they saw. */

import { collectionPath, del, encodePath, get, type Options, patch, post, withParams } from "./client";

export interface Visit {
  /** The tracklet's id, `t17`. */
  tracklet: string;
  camera: string;
  start: string;
  end: string;
  sightings: number;
  identity: string | null;
  quality: number | null;
  similarity: number | null;
  strength: number | null;
}

export interface Identity {
  id: string;
  name: string | null;
  recognised: { name: string; similarity: number } | null;
  first: string;
  last: string;
  cameras: string[];
  sightings: number;
  best: string;
  visits: Visit[];
}

export interface Identities {
  identities: Identity[];
  cameras: string[];
}

export interface IdentityFilter {
  from: string | null;
  to: string | null;
  camera: string | null;
  named: boolean | null;
}

export interface Candidate {
  identity: string;
  name: string | null;
  similarity: number;
  matched: boolean;
}

/** What a picture has to reach to be taken for a match, and how often that is wrong. */
export interface Line {
  cosine: number;
  false_match_rate: number;
  miss_rate: number;
}

export interface Following {
  /** Null: the picture is of somebody unknown. */
  identity: string | null;
  name: string | null;
  asked_by: string;
  visits: Visit[];
  line: Line | null;
  candidates: Candidate[];
  cameras: string[];
  query_thumbnail: string | null;
}

export interface Transition {
  origin: string;
  target: string;
  times: number;
  /** Of these, how often both saw it at a time. */
  together: number;
  /** Seconds from the last sighting of one to the first of the other. */
  shortest: number;
  typical: number;
  longest: number;
}

export interface Camera {
  name: string;
  kind: string;
  start: string;
  last: string | null;
  frames: number;
  tracklets: number;
  /** Seconds after which what it saw is erased; null: it is kept. */
  retain: number | null;
}

export interface AuditEntry {
  time: string;
  who: string;
  kind: string;
  /** SHA-256 of what was asked for. */
  query: string;
  reason: string;
  answers: number;
}

export async function listCameras(collection: string, options?: Options): Promise<Camera[]> {
  return (await get<{ cameras: Camera[] }>(collectionPath(collection, "cameras"), options)).cameras;
}

export function listIdentities(collection: string, filter: IdentityFilter, options: Options = {}): Promise<Identities> {
  return get<Identities>(collectionPath(collection, "identities"), { ...options, params: { ...filter } });
}

export function renameIdentity(collection: string, id: string, name: string | null): Promise<unknown> {
  return patch(collectionPath(collection, "identities", id), { name });
}

export function removeIdentity(collection: string, id: string): Promise<unknown> {
  return del(collectionPath(collection, "identities", id));
}

export function mergeIdentities(collection: string, first: string, second: string): Promise<{ identity: string }> {
  return post(collectionPath(collection, "identities", "merge"), { first, second });
}

export function splitIdentity(collection: string, id: string, tracklets: string[]): Promise<{ identity: string }> {
  return post(collectionPath(collection, "identities", id, "split"), { tracklets });
}

export async function listTransitions(collection: string, options?: Options): Promise<Transition[]> {
  return (await get<{ transitions: Transition[] }>(collectionPath(collection, "transitions"), options)).transitions;
}

export async function listAudit(collection: string, options?: Options): Promise<AuditEntry[]> {
  return (await get<{ searches: AuditEntry[] }>(collectionPath(collection, "audit"), options)).searches;
}

export const followPath = (collection: string): string => collectionPath(collection, "follow");

/** The best picture of a tracklet or identity. */
export function cropUrl(collection: string, id: string): string {
  return `${collectionPath(collection, "crops")}/${encodePath(id)}`;
}

export type Hidden = "nobody" | "others" | "rest";

/** The part of a recording that shows one tracklet, with its box; others, or everything else, made unrecognisable. */
export function clipUrl(collection: string, tracklet: string, hide: Hidden): string {
  return withParams(`${collectionPath(collection, "clips")}/${encodePath(tracklet)}`, { hide: hide === "nobody" ? null : hide });
}
