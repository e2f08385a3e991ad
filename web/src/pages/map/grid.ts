/** Finds points by place: the nearest to a place, those within a shape. A uniform grid; it is built once. */

import { bounds, type Points } from "./points";
import type { Place } from "./view";

const POINTS_PER_CELL = 4;

export class Grid {
  private readonly left: number;
  private readonly bottom: number;
  private readonly cell: number;
  private readonly columns: number;
  private readonly rows: number;
  /** Points sorted by cell; those of cell `c` are `order[starts[c] .. starts[c + 1]]`. */
  private readonly order: Uint32Array;
  private readonly starts: Uint32Array;

  constructor(private readonly points: Pick<Points, "x" | "y">) {
    const { x, y } = points;
    const [left, bottom, right, top] = bounds(points);
    const area = Math.max(right - left, 1e-6) * Math.max(top - bottom, 1e-6);
    const least = Math.max(right - left, top - bottom, 1e-6) / 2048;
    this.left = left;
    this.bottom = bottom;
    this.cell = Math.max(Math.sqrt((area * POINTS_PER_CELL) / Math.max(x.length, 1)), least);
    this.columns = Math.floor((right - left) / this.cell) + 1;
    this.rows = Math.floor((top - bottom) / this.cell) + 1;
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    const cells = new Uint32Array(x.length);
    for (let point = 0; point < x.length; point++) {
      const cell = this.row(y[point]!) * this.columns + this.column(x[point]!);
      cells[point] = cell;
      this.starts[cell + 1]!++;
    }
    for (let cell = 0; cell < this.columns * this.rows; cell++) this.starts[cell + 1]! += this.starts[cell]!;
    const next = this.starts.slice(0, -1);
    this.order = new Uint32Array(x.length);
    for (let point = 0; point < x.length; point++) this.order[next[cells[point]!]!++] = point;
  }

  /** The nearest point within a radius that is wanted; -1: none. */
  nearest(x: number, y: number, radius: number, wanted: (point: number) => boolean): number {
    let found = -1;
    let least = radius * radius;
    this.visit(x - radius, y - radius, x + radius, y + radius, (point) => {
      const distance = (this.points.x[point]! - x) ** 2 + (this.points.y[point]! - y) ** 2;
      if (distance > least || !wanted(point)) return;
      least = distance;
      found = point;
    });
    return found;
  }

  /** Points within a box, in no order. */
  within(left: number, bottom: number, right: number, top: number, wanted: (point: number) => boolean): number[] {
    const found: number[] = [];
    this.visit(left, bottom, right, top, (point) => {
      const x = this.points.x[point]!;
      const y = this.points.y[point]!;
      if (x >= left && x <= right && y >= bottom && y <= top && wanted(point)) found.push(point);
    });
    return found;
  }

  /** Points within a polygon (even-odd rule), in order of their number. */
  inside(polygon: readonly Place[], wanted: (point: number) => boolean): number[] {
    if (polygon.length < 3) return [];
    const xs = polygon.map(([x]) => x);
    const ys = polygon.map(([, y]) => y);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
    const { x, y } = this.points;
    return this.within(...box, (point) => wanted(point) && encloses(polygon, x[point]!, y[point]!)).sort((a, b) => a - b);
  }

  private visit(left: number, bottom: number, right: number, top: number, act: (point: number) => void): void {
    const [first, last] = [this.column(left), this.column(right)];
    for (let row = this.row(bottom); row <= this.row(top); row++) {
      const end = this.starts[row * this.columns + last + 1]!;
      for (let at = this.starts[row * this.columns + first]!; at < end; at++) act(this.order[at]!);
    }
  }

  private column(x: number): number {
    return Math.min(Math.max(Math.floor((x - this.left) / this.cell), 0), this.columns - 1);
  }

  private row(y: number): number {
    return Math.min(Math.max(Math.floor((y - this.bottom) / this.cell), 0), this.rows - 1);
  }
}

/** Whether a polygon encloses a place: a ray to the right crosses its edges an odd number of times. */
export function encloses(polygon: readonly Place[], x: number, y: number): boolean {
  let inside = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at++) {
    const [ax, ay] = polygon[at]!;
    const [bx, by] = polygon[before]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** The nearest wanted point from another one into a direction (dx, dy), within 60 degrees of it; -1: none. */
export function stepFrom(
  points: Pick<Points, "x" | "y">,
  from: number,
  [dx, dy]: Place,
  wanted: (point: number) => boolean,
): number {
  let found = -1;
  let least = Infinity;
  for (let point = 0; point < points.x.length; point++) {
    const x = points.x[point]! - points.x[from]!;
    const y = points.y[point]! - points.y[from]!;
    const along = x * dx + y * dy;
    const distance = Math.hypot(x, y);
    if (along <= distance / 2 || distance === 0) continue;
    const cost = distance * (2 - along / distance);
    if (cost < least && wanted(point)) [least, found] = [cost, point];
  }
  return found;
}
