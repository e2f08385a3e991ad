/** What lies on the map, as columns: the service's Arrow stream, read once. */

import { tableFromIPC } from "@uwdata/flechette";
import type { AttributeValue } from "../../api/types";

export interface Points {
  ids: readonly string[];
  x: Float32Array;
  y: Float32Array;
  /** Values by attribute, `cluster` among them when the collection was clustered; null where an item has none. */
  columns: ReadonlyMap<string, readonly AttributeValue[]>;
}

/** Columns of the stream that are no attributes. */
const OWN = new Set(["id", "x", "y", "placed", "cluster"]);
/** Of items in no cluster. */
const NOISE = -1;

export function readPoints(stream: ArrayBuffer): Points {
  const table = tableFromIPC(new Uint8Array(stream), { useBigInt: false });
  const columns = new Map<string, AttributeValue[]>();
  if (table.names.includes("cluster")) {
    const clusters = plain(table.getChild("cluster")).map((value) => (value === NOISE ? null : value));
    if (clusters.some((value) => value !== null)) columns.set("cluster", clusters);
  }
  for (const name of table.names) if (!OWN.has(name)) columns.set(name, plain(table.getChild(name)));
  return {
    ids: plain(table.getChild("id")).map(String),
    x: Float32Array.from(table.getChild("x") as Iterable<number>),
    y: Float32Array.from(table.getChild("y") as Iterable<number>),
    columns,
  };
}

/** Arrow's lists come as arrays or typed vectors and its numbers may be NaN: values as the REST answers have them. */
function plain(column: Iterable<unknown>): AttributeValue[] {
  const values: AttributeValue[] = [];
  for (const value of column) values.push(plainValue(value));
  return values;
}

function plainValue(value: unknown): AttributeValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "object" && Symbol.iterator in value) return Array.from(value as Iterable<unknown>, String);
  return String(value);
}

/** Least and greatest of each coordinate: left, bottom, right, top; a box of size one around nothing. */
export function bounds(points: Pick<Points, "x" | "y">, which?: readonly number[]): [number, number, number, number] {
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  const count = which ? which.length : points.x.length;
  for (let at = 0; at < count; at++) {
    const point = which ? which[at]! : at;
    const x = points.x[point]!;
    const y = points.y[point]!;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < bottom) bottom = y;
    if (y > top) top = y;
  }
  return left <= right ? [left, bottom, right, top] : [-0.5, -0.5, 0.5, 0.5];
}
