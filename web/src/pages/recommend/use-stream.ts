import { listItems } from "../../api/collections";
import { recommend, type RecommendRequest } from "../../api/recommend";
import type { Because, Item, Provenance } from "../../api/types";
import type { Likes } from "../../state/likes";
import { type Loaded, useLoad } from "../../state/load";
import { spread } from "./taste";

export interface Card extends Item {
  /** null: not recommended, but shown to begin with. */
  origin: string | null;
  because: Because[];
}

export interface Stream {
  cards: Card[];
  pictures: Record<string, { thumbnail: string }>;
  interests: number;
  provenance: (Provenance & { strategy?: string }) | null;
}

export interface Wanted {
  collection: string;
  version: number;
  user: string | null;
  taste: Likes;
  where: string | null;
  groupBy: string | null;
  diversity: number;
  k: number;
  /** Changes when a user's events did. */
  turn: number;
}

const LOOKED_THROUGH = 500;

/** A first choice for somebody of whom nothing is known: from all over the collection, without what was disliked. */
async function beginning(wanted: Wanted, signal: AbortSignal): Promise<Stream> {
  const { collection, where, k, taste } = wanted;
  const page = await listItems(collection, { where, limit: LOOKED_THROUGH }, signal);
  const fresh = page.items.filter((item) => !taste.dislikes.includes(item.id));
  const cards = spread(fresh, k).map((item): Card => ({ ...item, origin: null, because: [] }));
  return { cards, pictures: {}, interests: 0, provenance: null };
}

async function recommended(wanted: Wanted, signal: AbortSignal): Promise<Stream> {
  const { collection, user, taste, where, groupBy, diversity, k } = wanted;
  const request: RecommendRequest = user === null ? { like: [...taste.likes], dislike: [...taste.dislikes], k } : { user, k };
  if (where) request.where = where;
  if (groupBy) request.group_by = groupBy;
  if (diversity > 0) request.diversity = diversity;
  const answer = await recommend(collection, request, signal);
  return { cards: answer.recommendations, pictures: answer.example_pictures, interests: answer.interests.length, provenance: answer.provenance };
}

/** What to show next; asked anew with every like and dislike. */
export function useStream(wanted: Wanted): Loaded<Stream> {
  const known = wanted.user !== null || wanted.taste.likes.length > 0;
  return useLoad((signal) => (known ? recommended(wanted, signal) : beginning(wanted, signal)), [JSON.stringify(wanted)]);
}
