/** What was liked and disliked in this tab, per collection; both pages Search and Recommend change it. */

import { useCallback, useMemo, useSyncExternalStore } from "react";

export interface Likes {
  likes: readonly string[];
  dislikes: readonly string[];
}

const NONE: Likes = { likes: [], dislikes: [] };
const kept = new Map<string, Likes>();
const listeners = new Set<() => void>();

const keyOf = (collection: string) => `lookalike.likes.${collection}`;
const without = (ids: readonly string[], id: string) => ids.filter((each) => each !== id);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function readLikes(collection: string): Likes {
  const there = kept.get(collection);
  if (there) return there;
  const read = parseLikes(sessionStorage.getItem(keyOf(collection)));
  kept.set(collection, read);
  return read;
}

export function parseLikes(text: string | null): Likes {
  if (!text) return NONE;
  try {
    const value = JSON.parse(text) as Partial<Likes>;
    const ids = (list: unknown) => (Array.isArray(list) ? list.filter((id): id is string => typeof id === "string") : []);
    return { likes: ids(value.likes), dislikes: ids(value.dislikes) };
  } catch {
    return NONE;
  }
}

function write(collection: string, likes: Likes): void {
  kept.set(collection, likes);
  sessionStorage.setItem(keyOf(collection), JSON.stringify(likes));
  for (const listener of listeners) listener();
}

export function afterLike({ likes, dislikes }: Likes, id: string): Likes {
  return { likes: [...without(likes, id), id], dislikes: without(dislikes, id) };
}

export function afterDislike({ likes, dislikes }: Likes, id: string): Likes {
  return { likes: without(likes, id), dislikes: [...without(dislikes, id), id] };
}

export interface LikesHandle extends Likes {
  like: (id: string) => void;
  dislike: (id: string) => void;
  /** Neither liked nor disliked any more. */
  forget: (id: string) => void;
  clear: () => void;
}

export function useLikes(collection: string): LikesHandle {
  const state = useSyncExternalStore(subscribe, () => readLikes(collection));
  const change = useCallback((next: (now: Likes) => Likes) => write(collection, next(readLikes(collection))), [collection]);
  return useMemo(
    () => ({
      ...state,
      like: (id) => change((now) => afterLike(now, id)),
      dislike: (id) => change((now) => afterDislike(now, id)),
      forget: (id) => change((now) => ({ likes: without(now.likes, id), dislikes: without(now.dislikes, id) })),
      clear: () => change(() => NONE),
    }),
    [state, change],
  );
}
