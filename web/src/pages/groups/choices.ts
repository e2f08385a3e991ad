/** Which copies go: by default all but the first of each group, changed picture by picture. */

import type { DuplicateGroup } from "../../api/groups";

/** Ids whose default was turned round. */
export type Turned = ReadonlySet<string>;

export function isKept(group: DuplicateGroup, id: string, turned: Turned): boolean {
  return (group.ids[0] === id) !== turned.has(id);
}

export function toggled(turned: Turned, id: string): Turned {
  const next = new Set(turned);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Keep every picture of a group. */
export function allKept(group: DuplicateGroup, turned: Turned): Turned {
  const next = new Set(turned);
  for (const [at, id] of group.ids.entries()) {
    if (at === 0) next.delete(id);
    else next.add(id);
  }
  return next;
}

/** Ids to remove from all groups. A group of which nothing would be left keeps its first picture. */
export function toRemove(groups: readonly DuplicateGroup[], turned: Turned): string[] {
  return groups.flatMap((group) => {
    const gone = group.ids.filter((id) => !isKept(group, id, turned));
    return gone.length === group.ids.length ? gone.slice(1) : gone;
  });
}
