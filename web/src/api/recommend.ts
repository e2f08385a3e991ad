/** Recommendations and what users did. */

import { collectionPath, del, encodePath, get, post } from "./client";
import type { RecommendAnswer } from "./types";

export interface RecommendRequest {
  like?: string[];
  dislike?: string[];
  user?: string;
  k: number;
  where?: string;
  group_by?: string;
  diversity?: number;
}

export interface UserEvent {
  item: string;
  event: string;
  time: string;
  weight: number;
}

export function recommend(collection: string, request: RecommendRequest, signal: AbortSignal): Promise<RecommendAnswer> {
  return post<RecommendAnswer>(collectionPath(collection, "recommend"), request, { signal });
}

export function recordEvent(collection: string, user: string, item: string, event: "like" | "dislike" | "view"): Promise<unknown> {
  return post(collectionPath(collection, "events"), [{ user, item, event }]);
}

export async function eventsOf(collection: string, user: string, signal: AbortSignal): Promise<UserEvent[]> {
  return (await get<{ events: UserEvent[] }>(`${collectionPath(collection, "users")}/${encodePath(user)}/events`, { signal })).events;
}

export function forgetUser(collection: string, user: string): Promise<{ forgotten: number }> {
  return del(`${collectionPath(collection, "users")}/${encodePath(user)}`);
}
