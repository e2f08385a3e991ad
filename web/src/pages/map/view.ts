/** Which part of the plane the canvas shows. Screen coordinates are CSS pixels from its top left corner, y down. */

export interface View {
  /** The point of the plane in the middle of the canvas. */
  x: number;
  y: number;
  /** CSS pixels that one unit of the plane takes. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Place = readonly [x: number, y: number];

const MARGIN = 0.06;
const MOST_ZOOM = 4000;

/** The view that shows a box of the plane (left, bottom, right, top) whole, with a margin. */
export function fit(box: readonly [number, number, number, number], size: Size): View {
  const [left, bottom, right, top] = box;
  const room = 1 - 2 * MARGIN;
  const scale = Math.min((size.width * room) / (right - left), (size.height * room) / (top - bottom));
  return {
    x: (left + right) / 2,
    y: (bottom + top) / 2,
    scale: Number.isFinite(scale) && scale > 0 ? scale : Math.min(size.width, size.height) * room || 1,
  };
}

export function toScreen(view: View, size: Size, x: number, y: number): [number, number] {
  return [(x - view.x) * view.scale + size.width / 2, size.height / 2 - (y - view.y) * view.scale];
}

export function toPlane(view: View, size: Size, [x, y]: Place): [number, number] {
  return [view.x + (x - size.width / 2) / view.scale, view.y + (size.height / 2 - y) / view.scale];
}

export function panned(view: View, byX: number, byY: number): View {
  return { ...view, x: view.x - byX / view.scale, y: view.y + byY / view.scale };
}

/** Zoomed by a factor, so that what lies under a place of the screen stays there; within bounds set by the whole. */
export function zoomed(view: View, size: Size, factor: number, at: Place, whole: View): View {
  const scale = Math.min(Math.max(view.scale * factor, whole.scale / 4), whole.scale * MOST_ZOOM);
  const [x, y] = toPlane(view, size, at);
  return { x: x - (at[0] - size.width / 2) / scale, y: y - (size.height / 2 - at[1]) / scale, scale };
}

/** Part of the way from one view to another; the scale changes by equal ratios, as the eye expects. */
export function between(from: View, to: View, share: number): View {
  const eased = share < 0.5 ? 4 * share ** 3 : 1 - (-2 * share + 2) ** 3 / 2;
  const scale = from.scale * (to.scale / from.scale) ** eased;
  const alike = Math.abs(to.scale / from.scale - 1) < 1e-3;
  const moved = alike ? eased : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
  return { x: from.x + (to.x - from.x) * moved, y: from.y + (to.y - from.y) * moved, scale };
}

/** Diameter of a point in CSS pixels: smaller the more there are, growing slowly as one zooms in. */
export function pointSize(count: number, view: View, whole: View): number {
  const base = Math.min(10, Math.max(2.5, 13.5 - 2.2 * Math.log10(Math.max(count, 1))));
  return Math.min(16, base * Math.max(1, view.scale / whole.scale) ** 0.3);
}
