import type { AttributeValue, Attributes } from "../api/types";

/** An attribute's value for people. */
export function written(value: AttributeValue): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 4 }) : value;
}

/** What to call an item: its own name or title where it has one, else the last part of its id. */
export function nameOf(id: string, attributes: Attributes): string {
  for (const attribute of ["name", "title", "label"]) {
    const value = attributes[attribute];
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return id.split("/").pop() || id;
}

/** The line under the name: the attribute that results are grouped by, else the first short one that is not the name. */
export function noteOf(attributes: Attributes, groupBy: string | null): string {
  const grouped = groupBy === null ? undefined : attributes[groupBy];
  if (grouped !== undefined && grouped !== null) return written(grouped);
  const parts: string[] = [];
  for (const [attribute, value] of Object.entries(attributes)) {
    if (["name", "title", "label"].includes(attribute) || value === null || Array.isArray(value) || typeof value === "boolean") continue;
    if (typeof value === "string" && (value.length > 24 || /[/_-]/.test(value))) continue;
    parts.push(written(value));
    if (parts.length === 2) break;
  }
  return parts.join(" · ");
}
