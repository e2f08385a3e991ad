import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { expect, test } from "vitest";
import { type Categories, colouring, MISSING, PALETTE, paletteOf, pointColours, rgb, type Scale, scaleColour, spacedPalette } from "./colouring";
import { asCsv, asJson } from "./exporting";
import { find } from "./finding";
import { encloses, Grid, stepFrom } from "./grid";
import { Pace } from "./pace";
import { bounds, type Points, readPoints } from "./points";
import { shuffled } from "./renderer";
import { fit, toPlane, toScreen, zoomed } from "./view";

const size = { width: 800, height: 600 };
const points: Points = {
  ids: ["a", "b", "c", "d"],
  x: Float32Array.of(0, 10, 10, 0),
  y: Float32Array.of(0, 0, 10, 10),
  columns: new Map([
    ["name", ["red chair", "=SUM(A1)", null, 'blue "lamp", small']],
    ["price", [5, -2.5, null, 7]],
  ]),
};
const everyone = () => true;

/** Points at random from a seed, for comparison with plain loops. */
function cloud(n: number): { x: Float32Array; y: Float32Array } {
  let state = 7;
  const next = () => (state = (Math.imul(state, 48271) >>> 0) % 2147483647) / 2147483647;
  return { x: Float32Array.from({ length: n }, next), y: Float32Array.from({ length: n }, () => next() ** 3) };
}

test("the whole fits on the canvas, and places go to the plane and back", () => {
  const view = fit(bounds(points), size);
  for (let point = 0; point < 4; point++) {
    const [x, y] = toScreen(view, size, points.x[point]!, points.y[point]!);
    expect(x >= 0 && x <= size.width && y >= 0 && y <= size.height).toBe(true);
    expect(toPlane(view, size, [x, y])[0]).toBeCloseTo(points.x[point]!, 4);
  }
  expect(toScreen(view, size, 0, 10)[1]).toBeLessThan(toScreen(view, size, 0, 0)[1]);
});

test("what is zoomed at stays under the pointer, within bounds", () => {
  const whole = fit(bounds(points), size);
  const near = zoomed(whole, size, 3, [200, 150], whole);
  expect(toPlane(near, size, [200, 150])[0]).toBeCloseTo(toPlane(whole, size, [200, 150])[0], 6);
  expect(zoomed(whole, size, 1e9, [0, 0], whole).scale).toBeLessThan(whole.scale * 1e4);
});

test("the grid finds what a plain loop finds", () => {
  const many = cloud(3000);
  const grid = new Grid(many);
  const lasso = [[0.2, 0.1], [0.8, 0.15], [0.6, 0.5], [0.3, 0.4]] as const;
  const inside = [...many.x.keys()].filter((point) => encloses(lasso, many.x[point]!, many.y[point]!));
  expect(grid.inside(lasso, everyone)).toEqual(inside);
  const even = (point: number) => point % 2 === 0;
  for (const [x, y] of [[0.5, 0.2], [0, 0], [1, 1]] as const) {
    const far = (point: number) => Math.hypot(many.x[point]! - x, many.y[point]! - y);
    const near = [...many.x.keys()].filter((point) => even(point) && far(point) <= 0.1).sort((a, b) => far(a) - far(b));
    expect(grid.nearest(x, y, 0.1, even)).toBe(near[0] ?? -1);
  }
});

test("all points at one place, or none at all, have a grid too", () => {
  expect(new Grid({ x: Float32Array.of(3, 3), y: Float32Array.of(1, 1) }).nearest(3, 1, 0.5, everyone)).toBeGreaterThanOrEqual(0);
  expect(new Grid({ x: Float32Array.of(), y: Float32Array.of() }).nearest(0, 0, 1, everyone)).toBe(-1);
});

test("a step goes into its direction, or nowhere", () => {
  expect(stepFrom(points, 0, [1, 0], everyone)).toBe(1);
  expect(stepFrom(points, 0, [0, 1], everyone)).toBe(3);
  expect(stepFrom(points, 0, [-1, 0], everyone)).toBe(-1);
});

test("words are categories, many numbers a scale, few whole numbers categories", () => {
  const words = colouring(["b", "a", "b", null, []]) as Categories;
  expect(words.categories).toEqual([{ name: "b", count: 2 }, { name: "a", count: 1 }]);
  expect([...words.codes]).toEqual([0, 1, 0, MISSING, MISSING]);
  expect(colouring([1, 2, 2, 1]).kind).toBe("categories");
  const prices = colouring(Array.from({ length: 100 }, (_, at) => (at === 50 ? null : 1.5 ** at))) as Scale;
  expect(prices).toMatchObject({ kind: "scale", logarithmic: true, missing: 1 });
  expect(prices.shares[50]).toBeNaN();
  expect(prices.shares[99]).toBe(1);
});

test("a category that is chosen gets a colour from one that was not", () => {
  const palette = paletteOf(30, [25], "light");
  expect(palette.size).toBe(PALETTE.light.length);
  expect(palette.has(25)).toBe(true);
  expect(palette.has(0)).toBe(true);
});

test("groups of one colour lie far apart", () => {
  const n = 18;
  const by = colouring(Array.from({ length: n }, (_, at) => `g${String(at).padStart(2, "0")}`)) as Categories;
  const x = Float32Array.from({ length: n }, (_, at) => at);
  const palette = spacedPalette(by, x, new Float32Array(n), "dark");
  expect(palette.size).toBe(n);
  for (let at = 0; at + 1 < n; at++) expect(palette.get(at)).not.toBe(palette.get(at + 1));
});

test("points without a value are grey, others have their category's colour", () => {
  const by = colouring(["a", null]);
  const colours = pointColours(2, by, new Map([[0, "#0072b2"]]), "light");
  expect(Array.from(colours.subarray(0, 3))).toEqual(rgb("#0072b2"));
  expect(scaleColour(0)).toEqual(rgb("#414487"));
  expect(scaleColour(2)).toEqual(rgb("#bddf26"));
});

test("a beginning of the drawing order is spread, and the order holds every point once", () => {
  const order = shuffled(10_000);
  expect(new Set(order).size).toBe(10_000);
  const mean = order.slice(0, 500).reduce((sum, point) => sum + point, 0) / 500;
  expect(Math.abs(mean - 5000)).toBeLessThan(400);
});

test("a slow machine draws fewer points while it moves, and more again once it keeps up", () => {
  const pace = new Pace();
  expect(pace.frame(0)).toBe(1);
  let share = 1;
  for (let at = 1; at <= 10; at++) share = pace.frame(at * 80);
  expect(share).toBeLessThan(0.1);
  for (let at = 1; at <= 200; at++) share = pace.frame(800 + at * 16);
  expect(share).toBe(1);
});

test("exported tables quote what needs it and hold no formula", () => {
  expect(asCsv(points, [0, 1, 3]).split("\r\n")).toEqual(["id,name,price", "a,red chair,5", "b,'=SUM(A1),-2.5", 'd,"blue ""lamp"", small",7', ""]);
  expect(JSON.parse(asJson(points, [2]))).toEqual([{ id: "c", name: null, price: null }]);
});

test("every word that is typed has to occur in the id or a value", () => {
  expect([...find(points, "LAMP blue")!]).toEqual([3]);
  expect(find(points, "lamp red")!.size).toBe(0);
  expect(find(points, "  ")).toBeNull();
});

test("an Arrow stream becomes points; noise and not clustered are no cluster", () => {
  const stream = tableToIPC(
    tableFromArrays({
      id: ["a", "b", "c"],
      x: Float32Array.of(1, 2, 3),
      y: Float32Array.of(4, 5, 6),
      placed: [true, false, true],
      cluster: [0, -1, null],
      tags: [["x", "y"], [], null],
      price: [1.5, Number.NaN, null],
    }),
    {},
  )!;
  const read = readPoints(stream.buffer.slice(stream.byteOffset, stream.byteOffset + stream.byteLength) as ArrayBuffer);
  expect(read.ids).toEqual(["a", "b", "c"]);
  expect([...read.x]).toEqual([1, 2, 3]);
  expect(read.columns.get("cluster")).toEqual([0, null, null]);
  expect(read.columns.get("tags")).toEqual([["x", "y"], [], null]);
  expect(read.columns.get("price")).toEqual([1.5, null, null]);
  expect(read.columns.has("placed")).toBe(false);
});
