/**
 * Colours for values. Categories get the colours of Okabe & Ito (2008), which people with a colour vision deficiency
 * can tell apart, so there are only nine: the most frequent values have them, the others are grey until chosen.
 * Numbers get viridis (Smith & van der Walt 2015) without its ends, which vanish on black or on white.
 */

import type { AttributeValue } from "../../api/types";

export type Rgb = readonly [red: number, green: number, blue: number];
export type Theme = "light" | "dark";

/** `#rrggbb` of each theme: yellow is too light on white, and deep purple too dark on black. */
export const PALETTE: Record<Theme, readonly string[]> = {
  light: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#6f3fa0", "#8a8200", "#16181d"],
  dark: ["#3d9be0", "#e69f00", "#12b886", "#e08fbd", "#ee6f1d", "#7cc9f5", "#a98bdb", "#f0e442", "#f4f5f7"],
};
export const GREY: Record<Theme, string> = { light: "#9a9fa8", dark: "#6b7280" };
const SCALE = ["#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26"].map(rgb);

/** Whole numbers of at most so many different values are categories: grades, floors, sizes. */
const FEW_INTEGERS = 12;
/** From this ratio of its ends on, a scale of positive numbers is logarithmic. */
const LOGARITHMIC_FROM = 100;
/** Share of the numbers at each end that lie beyond the scale's ends, so that one outlier does not flatten it. */
const OUTER_SHARE = 0.02;
export const MISSING = -1;
/** Groups that get a colour; comparing all with all takes a moment only. */
const MOST_SPACED = 2000;

export interface Category {
  name: string;
  count: number;
}

export interface Categories {
  kind: "categories";
  /** Most frequent first. */
  categories: Category[];
  /** Category of each point, or MISSING. */
  codes: Int32Array;
  missing: number;
}

export interface Scale {
  kind: "scale";
  /** Of each point in [0, 1], NaN where there is no number. */
  shares: Float32Array;
  low: number;
  high: number;
  logarithmic: boolean;
  missing: number;
}

export type Colouring = Categories | Scale;

/** How to colour points by a value each. `names` says what a value is called, for clusters. */
export function colouring(values: readonly AttributeValue[], names?: ReadonlyMap<string, string>): Colouring {
  const numbers = values.filter((value): value is number => typeof value === "number");
  const known = values.reduce<number>((count, value) => count + (hasValue(value) ? 1 : 0), 0);
  const whole = numbers.every(Number.isInteger);
  const few = whole && new Set(numbers).size <= FEW_INTEGERS;
  if (!names && numbers.length > 0 && numbers.length === known && !few) return scale(values, numbers);
  return categories(values, names);
}

function hasValue(value: AttributeValue): boolean {
  return value !== null && !(Array.isArray(value) && value.length === 0);
}

function nameOf(value: AttributeValue): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value[0] ?? null;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

function categories(values: readonly AttributeValue[], names?: ReadonlyMap<string, string>): Categories {
  const counts = new Map<string, number>();
  for (const value of values) {
    const name = nameOf(value);
    if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const ranked = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const code = new Map(ranked.map(([name], at) => [name, at]));
  const codes = Int32Array.from(values, (value) => code.get(nameOf(value) ?? "") ?? MISSING);
  return {
    kind: "categories",
    categories: ranked.map(([name, count]) => ({ name: names?.get(name) ?? name, count })),
    codes,
    missing: codes.reduce((count, each) => count + (each === MISSING ? 1 : 0), 0),
  };
}

function scale(values: readonly AttributeValue[], numbers: number[]): Scale {
  const sorted = Float64Array.from(numbers).sort();
  const last = sorted.length - 1;
  let low = sorted[Math.round(last * OUTER_SHARE)]!;
  let high = sorted[Math.round(last * (1 - OUTER_SHARE))]!;
  if (low === high) [low, high] = [sorted[0]!, sorted[last]!];
  const logarithmic = sorted[0]! > 0 && high >= LOGARITHMIC_FROM * low;
  const along = (value: number) => {
    const within = Math.min(Math.max(value, low), high);
    if (low === high) return 0.5;
    return logarithmic ? Math.log(within / low) / Math.log(high / low) : (within - low) / (high - low);
  };
  const shares = Float32Array.from(values, (value) => (typeof value === "number" ? along(value) : NaN));
  return { kind: "scale", shares, low, high, logarithmic, missing: values.length - numbers.length };
}

/** Colour of a share of the scale, linear between its steps. */
export function scaleColour(share: number): Rgb {
  const at = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1);
  const below = Math.min(Math.floor(at), SCALE.length - 2);
  const [a, b] = [SCALE[below]!, SCALE[below + 1]!];
  const mix = (channel: 0 | 1 | 2) => Math.round(a[channel] + (b[channel] - a[channel]) * (at - below));
  return [mix(0), mix(1), mix(2)];
}

/** Which category has which colour of the palette: the most frequent ones, those chosen before the others. */
export function paletteOf(count: number, chosen: readonly number[], theme: Theme): Map<number, string> {
  const colours = PALETTE[theme];
  const taken = new Map<number, string>();
  const first = Array.from({ length: Math.min(count, colours.length) }, (_, at) => at);
  first.forEach((category, at) => taken.set(category, colours[at]!));
  const late = chosen.filter((category) => !taken.has(category)).slice(-colours.length);
  const givers = first.filter((category) => !chosen.includes(category)).reverse();
  for (const category of late) {
    const giver = givers.shift();
    if (giver === undefined) break;
    taken.set(category, taken.get(giver)!);
    taken.delete(giver);
  }
  return taken;
}

/**
 * A colour for every category, for groups that lie together: they repeat, and groups of one colour lie far apart.
 *
 * Greedy, the largest group first: it takes the colour whose nearest group so far is farthest.
 */
export function spacedPalette(by: Categories, x: Float32Array, y: Float32Array, theme: Theme): Map<number, string> {
  const colours = PALETTE[theme];
  const count = Math.min(by.categories.length, MOST_SPACED);
  const sums = Array.from({ length: by.categories.length }, () => [0, 0] as [number, number]);
  by.codes.forEach((code, point) => {
    if (code === MISSING) return;
    sums[code]![0] += x[point]!;
    sums[code]![1] += y[point]!;
  });
  const centres = sums.map(([sx, sy], code) => [sx / by.categories[code]!.count, sy / by.categories[code]!.count] as const);
  const taken: number[][] = colours.map(() => []);
  for (let code = 0; code < count; code++) {
    const [cx, cy] = centres[code]!;
    const room = taken.map((others) => Math.min(...others.map((other) => Math.hypot(centres[other]![0] - cx, centres[other]![1] - cy))));
    taken[room.indexOf(Math.max(...room))]!.push(code);
  }
  return new Map(taken.flatMap((codes, colour) => codes.map((code) => [code, colours[colour]!] as const)));
}

/** RGB of each point, uint8 (3 n). */
export function pointColours(
  count: number,
  by: Colouring | null,
  palette: ReadonlyMap<number, string>,
  theme: Theme,
): Uint8Array {
  const colours = new Uint8Array(3 * count);
  const grey = rgb(GREY[theme]);
  const plain = rgb(PALETTE[theme][0]!);
  const byCode = new Map([...palette].map(([code, hex]) => [code, rgb(hex)]));
  const steps = Array.from({ length: 256 }, (_, at) => scaleColour(at / 255));
  for (let point = 0; point < count; point++) {
    let colour: Rgb = plain;
    if (by?.kind === "categories") colour = byCode.get(by.codes[point]!) ?? grey;
    else if (by) colour = Number.isNaN(by.shares[point]!) ? grey : steps[Math.round(by.shares[point]! * 255)]!;
    colours.set(colour, 3 * point);
  }
  return colours;
}

export function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
