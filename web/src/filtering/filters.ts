/** What is chosen in the facets, and the filter expression it makes together with the expert's. */

import type { AttributeType } from "../api/types";

export type Selection =
  | { kind: "values"; values: string[] }
  | { kind: "range"; from: number | null; to: number | null };

export type Selections = Record<string, Selection>;

const PREFIX = "f.";
const RESERVED = new Set(["and", "or", "not", "in", "is", "null", "true", "false", "between", "has", "starts", "with", "contains"]);

/** A text between quotes, as filters write it. */
export function quoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** An attribute's name as filters write it: plain where that is unambiguous, else in backticks. */
export function attributeName(name: string): string {
  const plain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase());
  return plain ? name : `\`${name.replaceAll("`", "``")}\``;
}

/** The facets' part of the address: `f.category=Kitchen` (repeated), `f.price=10..20`. */
export function readSelections(params: URLSearchParams, types: Record<string, AttributeType>): Selections {
  const selections: Selections = {};
  for (const name of new Set(params.keys())) {
    if (!name.startsWith(PREFIX)) continue;
    const attribute = name.slice(PREFIX.length);
    const type = types[attribute];
    if (type === undefined) continue;
    const texts = params.getAll(name);
    if (type === "number" || type === "integer") {
      const range = readRange(texts[0] ?? "");
      if (range) selections[attribute] = range;
    } else {
      selections[attribute] = { kind: "values", values: texts };
    }
  }
  return selections;
}

function readRange(text: string): Selection | null {
  const [from, to] = text.split("..").map((part) => (part.trim() === "" ? null : Number(part)));
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to)) return null;
  return from === null && to === null ? null : { kind: "range", from, to };
}

/** The change of the address that makes a selection, or takes it away (null). */
export function writeSelection(attribute: string, selection: Selection | null): Record<string, string | string[] | null> {
  const name = PREFIX + attribute;
  if (selection === null) return { [name]: null };
  if (selection.kind === "values") return { [name]: selection.values.length > 0 ? selection.values : null };
  const { from, to } = selection;
  return { [name]: from === null && to === null ? null : `${from ?? ""}..${to ?? ""}` };
}

/** The condition of one selection. */
export function condition(attribute: string, selection: Selection, type: AttributeType): string {
  const name = attributeName(attribute);
  if (selection.kind === "range") {
    const parts = [];
    if (selection.from !== null) parts.push(`${name} >= ${selection.from}`);
    if (selection.to !== null) parts.push(`${name} <= ${selection.to}`);
    return parts.join(" and ");
  }
  const { values } = selection;
  if (type === "boolean") return values.map((value) => `${name} = ${value === "true" ? "true" : "false"}`).join(" or ");
  if (type === "list") return values.map((value) => `${name} has ${quoted(value)}`).join(" or ");
  const texts = values.map(quoted);
  return texts.length === 1 ? `${name} = ${texts[0]}` : `${name} in (${texts.join(", ")})`;
}

export interface Where {
  /** The whole expression, null without any. */
  expression: string | null;
  /** Where the expert's part begins in it: errors point into the whole. */
  offset: number;
}

/** The filter of everything that is chosen; `leaveOut`: an attribute whose own selection does not count. */
export function whereOf(expert: string | null, selections: Selections, types: Record<string, AttributeType>, leaveOut?: string): Where {
  const conditions = Object.entries(selections)
    .filter(([attribute]) => attribute !== leaveOut)
    .map(([attribute, selection]) => condition(attribute, selection, types[attribute] ?? "text"))
    .filter((text) => text !== "")
    .map((text) => (text.includes(" or ") ? `(${text})` : text));
  if (!expert) return { expression: conditions.join(" and ") || null, offset: 0 };
  if (conditions.length === 0) return { expression: expert, offset: 0 };
  return { expression: [`(${expert})`, ...conditions].join(" and "), offset: 1 };
}
