import { expect, test } from "vitest";
import { along, duration, moved, spanOf, ticks, zoomed } from "./timeline";

const at = (text: string) => Date.parse(text);
const hour = { from: at("2024-06-11T09:00:00Z"), to: at("2024-06-11T10:00:00Z") };

test("what is zoomed at stays where it is", () => {
  const near = zoomed(hour, 4, 0.25, hour);
  expect(near.to - near.from).toBe(15 * 60_000);
  expect(along(near, hour.from + 15 * 60_000)).toBeCloseTo(0.25);
});

test("nothing beyond the whole is shown", () => {
  expect(zoomed(hour, 0.1, 0.5, hour)).toEqual(hour);
  const near = zoomed(hour, 4, 0, hour);
  expect(moved(near, -3, hour).from).toBe(hour.from);
  expect(moved(near, 30, hour).to).toBe(hour.to);
});

test("ticks are round times of the axis' zone", () => {
  expect(ticks(hour, 420, 0).map((tick) => tick.label)).toEqual(["09:00", "09:15", "09:30", "09:45", "10:00"].slice(0, 5));
  const shifted = ticks({ from: at("2024-06-10T20:00:00Z"), to: at("2024-06-11T02:00:00Z") }, 300, 120);
  expect(shifted.map((tick) => tick.label)).toContain("06-11");
});

test("a span of nothing and of one moment has a length", () => {
  expect(spanOf([]).to).toBeGreaterThan(spanOf([]).from);
  const one = spanOf([{ from: 5, to: 5 }]);
  expect(one.to).toBeGreaterThan(one.from);
});

test("durations are told in the unit that fits", () => {
  expect([2.64, 180, 5400 * 2, 200_000].map(duration)).toEqual(["2.6 s", "3 min", "3 h", "2.3 d"]);
});
