/** What was selected, as a file. */

import type { AttributeValue } from "../../api/types";
import type { Points } from "./points";

export function asCsv(points: Points, chosen: readonly number[]): string {
  const names = [...points.columns.keys()];
  const rows = chosen.map((point) => [
    points.ids[point]!,
    ...names.map((name) => cell(points.columns.get(name)![point] ?? null)),
  ]);
  return [["id", ...names], ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}

export function asJson(points: Points, chosen: readonly number[]): string {
  const items = chosen.map((point) => ({
    id: points.ids[point]!,
    ...Object.fromEntries([...points.columns].map(([name, values]) => [name, values[point] ?? null])),
  }));
  return JSON.stringify(items, null, 1) + "\n";
}

function cell(value: AttributeValue): string {
  if (value === null) return "";
  return Array.isArray(value) ? value.join(";") : String(value);
}

/**
 * A CSV field (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it: attributes
 * come from other people (OWASP, CSV injection).
 */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
