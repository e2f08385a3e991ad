/** Crops in fractions of the upright picture, 0 to 1: how they are written, drawn, moved and resized. */

export interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Smaller ones are not asked for: a click that slipped. */
export const SMALLEST = 0.04;

/** Which sides a handle moves: `nw`, `e`, ... */
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;
export type Handle = (typeof HANDLES)[number];

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
const digits = (value: number) => Number(value.toFixed(4)).toString();

/** `0.1,0.2,0.5,0.5`; null when the text is none. */
export function parseCrop(text: string | null): Crop | null {
  const [x, y, width, height, more] = (text ?? "").split(",").map(Number);
  if (x === undefined || y === undefined || width === undefined || height === undefined || more !== undefined) return null;
  const sound = [x, y, width, height].every((value) => Number.isFinite(value) && value >= 0 && value <= 1);
  return sound && width > 0 && height > 0 && x + width <= 1.0001 && y + height <= 1.0001 ? { x, y, width, height } : null;
}

export function writeCrop(crop: Crop): string {
  return [crop.x, crop.y, crop.width, crop.height].map(digits).join(",");
}

/** The rectangle between two points, inside the picture. */
export function between(from: Point, to: Point): Crop {
  const [left, right] = [clamp(Math.min(from.x, to.x), 0, 1), clamp(Math.max(from.x, to.x), 0, 1)];
  const [top, bottom] = [clamp(Math.min(from.y, to.y), 0, 1), clamp(Math.max(from.y, to.y), 0, 1)];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function moved(crop: Crop, by: Point): Crop {
  return { ...crop, x: clamp(crop.x + by.x, 0, 1 - crop.width), y: clamp(crop.y + by.y, 0, 1 - crop.height) };
}

/** The crop with the sides of a handle moved; the opposite sides stay, and it never turns inside out. */
export function resized(crop: Crop, handle: Handle, by: Point): Crop {
  let [left, top, right, bottom] = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
  if (handle.includes("w")) left = clamp(left + by.x, 0, right - SMALLEST);
  if (handle.includes("e")) right = clamp(right + by.x, left + SMALLEST, 1);
  if (handle.includes("n")) top = clamp(top + by.y, 0, bottom - SMALLEST);
  if (handle.includes("s")) bottom = clamp(bottom + by.y, top + SMALLEST, 1);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export function isTooSmall(crop: Crop): boolean {
  return crop.width < SMALLEST || crop.height < SMALLEST;
}

/** What an arrow key does to a crop: moves it, with Shift resizes it; null for other keys. */
export function keyed(crop: Crop, key: string, shift: boolean, by = 0.02): Crop | null {
  const step = { ArrowLeft: { x: -by, y: 0 }, ArrowRight: { x: by, y: 0 }, ArrowUp: { x: 0, y: -by }, ArrowDown: { x: 0, y: by } }[key];
  if (!step) return null;
  return shift ? resized(crop, "se", step) : moved(crop, step);
}

export const MIDDLE: Crop = { x: 0.2, y: 0.2, width: 0.6, height: 0.6 };
