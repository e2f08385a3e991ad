/** Points by what is typed: words in an id or in a value of an attribute. */

import type { AttributeValue } from "../../api/types";
import type { Points } from "./points";

/** Points all of whose words occur in the id or in one of the values, without regard to case; null: nothing is typed. */
export function find(points: Points, typed: string): Set<number> | null {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const columns = [...points.columns.values()];
  const found = new Set<number>();
  for (let point = 0; point < points.ids.length; point++) {
    const texts = [points.ids[point]!, ...columns.map((column) => text(column[point] ?? null))].map((each) => each.toLowerCase());
    if (words.every((word) => texts.some((each) => each.includes(word)))) found.add(point);
  }
  return found;
}

function text(value: AttributeValue): string {
  if (value === null || typeof value === "boolean") return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}
