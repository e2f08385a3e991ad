/** Labelling one picture after the other: what was said of which, and what is not saved yet. */

export interface Said {
  id: string;
  /** Null: skipped. */
  label: string | null;
}

export interface Queue {
  /** In the order in which they are asked. */
  ids: readonly string[];
  said: readonly Said[];
  /** How many of `said`, from the first, the service knows. */
  saved: number;
  /** Ids that were saved and taken back since: their label goes away with the next batch. */
  withdrawn: readonly string[];
}

export const emptyQueue: Queue = { ids: [], said: [], saved: 0, withdrawn: [] };

export function filled(ids: readonly string[]): Queue {
  return { ...emptyQueue, ids };
}

export function current(queue: Queue): string | null {
  return queue.ids[queue.said.length] ?? null;
}

export function say(queue: Queue, label: string | null): Queue {
  const id = current(queue);
  if (id === null) return queue;
  return { ...queue, said: [...queue.said, { id, label }], withdrawn: queue.withdrawn.filter((each) => each !== id) };
}

export function undo(queue: Queue): Queue {
  const last = queue.said[queue.said.length - 1];
  if (!last) return queue;
  const known = queue.said.length <= queue.saved;
  return {
    ...queue,
    said: queue.said.slice(0, -1),
    saved: Math.min(queue.saved, queue.said.length - 1),
    withdrawn: known && last.label !== null ? [...queue.withdrawn, last.id] : queue.withdrawn,
  };
}

/** What the service does not know yet, `{id: label}`; null takes a label away. */
export function unsaved(queue: Queue): Record<string, string | null> {
  const changes: Record<string, string | null> = Object.fromEntries(queue.withdrawn.map((id) => [id, null]));
  for (const { id, label } of queue.said.slice(queue.saved)) if (label !== null) changes[id] = label;
  return changes;
}

/** After `sent`, an earlier state of this queue, was saved; what was said or undone meanwhile is still unsaved. */
export function afterSaving(queue: Queue, sent: Queue): Queue {
  let same = 0;
  while (same < Math.min(queue.said.length, sent.said.length) && queue.said[same] === sent.said[same]) same++;
  const undone = sent.said.slice(same).filter(({ id, label }) => label !== null && !queue.said.some((each) => each.id === id));
  const withdrawn = queue.withdrawn.filter((id) => !sent.withdrawn.includes(id));
  return { ...queue, saved: same, withdrawn: [...new Set([...withdrawn, ...undone.map(({ id }) => id)])] };
}

/** The class of a digit key: 1 to 9; null: no such class. */
export function classOfKey(key: string, classes: readonly string[]): string | null {
  return /^[1-9]$/.test(key) ? (classes[Number(key) - 1] ?? null) : null;
}
