/** Whose taste counts: what was liked in this tab, or what a user did. */

import type { UserEvent } from "../../api/recommend";
import type { Because } from "../../api/types";
import type { Likes } from "../../state/likes";

const LIKING = new Set(["like", "cart", "purchase"]);
const DISLIKING = new Set(["dislike", "hide"]);

/** What a user likes and dislikes by the last of the events on each item; views say too little to be shown. */
export function likesOf(events: readonly UserEvent[]): Likes {
  const last = new Map<string, boolean>();
  for (const { item, event } of events) {
    if (!LIKING.has(event) && !DISLIKING.has(event)) continue;
    last.delete(item);
    last.set(item, LIKING.has(event));
  }
  const items = [...last];
  return { likes: items.filter(([, liked]) => liked).map(([id]) => id), dislikes: items.filter(([, liked]) => !liked).map(([id]) => id) };
}

const VERBS: Record<string, string> = { like: "liked", view: "looked at", cart: "put in the cart", purchase: "bought" };

/** "because you liked X · similarity 0.62", or why else it is there. */
export function reasonOf(origin: string, because: Because | undefined, nameOf: (id: string) => string): string {
  if (!because) return origin === "exploration" ? "Something new, to learn what you like" : "Fits what you liked";
  const verb = because.event === null ? "liked" : (VERBS[because.event] ?? `(${because.event})`);
  const together = because.together >= 0.5 ? ", as others did" : "";
  return `Because you ${verb} ${nameOf(because.id)}${together} · similarity ${because.similarity.toFixed(2)}`;
}

/** `count` of a list, evenly spread over it: the neighbours in a collection often show the same thing. */
export function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, at) => list[Math.floor((at * list.length) / count)] as T);
}
