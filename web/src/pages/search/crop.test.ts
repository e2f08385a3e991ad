import { describe, expect, test } from "vitest";
import { between, HANDLES, isTooSmall, keyed, MIDDLE, moved, parseCrop, resized, writeCrop } from "./crop";

const inside = (crop: { x: number; y: number; width: number; height: number }) =>
  crop.x >= 0 && crop.y >= 0 && crop.x + crop.width <= 1 + 1e-9 && crop.y + crop.height <= 1 + 1e-9;

describe("a crop in the address", () => {
  test("is read back as it was written", () => {
    expect(parseCrop(writeCrop({ x: 0.125, y: 0, width: 0.5, height: 1 }))).toEqual({ x: 0.125, y: 0, width: 0.5, height: 1 });
  });

  test.each([null, "", "1,2,3", "0,0,0.5,0", "0.6,0,0.5,0.5", "a,b,c,d", "0,0,1,1,1", "-0.1,0,0.5,0.5"])("%s is none", (text) => {
    expect(parseCrop(text)).toBeNull();
  });
});

describe("drawing", () => {
  test("works in every direction and ends at the picture's edge", () => {
    expect(between({ x: 0.8, y: 0.9 }, { x: -0.3, y: 0.4 })).toEqual({ x: 0, y: 0.4, width: 0.8, height: 0.5 });
  });

  test("a click that slipped is too small", () => {
    expect(isTooSmall(between({ x: 0.5, y: 0.5 }, { x: 0.51, y: 0.9 }))).toBe(true);
  });
});

describe("moving and resizing", () => {
  test("a crop that is moved keeps its size and stays inside", () => {
    const there = moved(MIDDLE, { x: 3, y: -3 });
    expect(there.x).toBeCloseTo(0.4);
    expect(there).toMatchObject({ y: 0, width: 0.6, height: 0.6 });
  });

  test.each(HANDLES)("handle %s never turns it inside out or leaves the picture", (handle) => {
    for (const x of [-2, -0.1, 0.1, 2])
      for (const y of [-2, -0.1, 0.1, 2]) {
        const now = resized(MIDDLE, handle, { x, y });
        expect(inside(now)).toBe(true);
        expect(isTooSmall({ ...now, width: now.width + 1e-9, height: now.height + 1e-9 })).toBe(false);
      }
  });

  test("a handle leaves the opposite side where it is", () => {
    const now = resized(MIDDLE, "w", { x: 0.1, y: 0.5 });
    expect(now.x + now.width).toBeCloseTo(MIDDLE.x + MIDDLE.width);
    expect(now.height).toBeCloseTo(MIDDLE.height);
  });

  test("arrow keys move, with Shift they resize, others do nothing", () => {
    expect(keyed(MIDDLE, "ArrowLeft", false)?.x).toBeCloseTo(0.18);
    expect(keyed(MIDDLE, "ArrowRight", true)?.width).toBeCloseTo(0.62);
    expect(keyed(MIDDLE, "Enter", false)).toBeNull();
  });
});
