/** The time axis: what part of time is shown, and where its ticks are. Times are ms since 1970. */

export interface Span {
  from: number;
  to: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];
const LEAST = 2 * SECOND;
/** Room that a tick with its label takes, CSS pixels. */
const ROOM = 96;

/** Everything from the first to the last moment, with a little space at both ends; one minute around nothing. */
export function spanOf(moments: readonly Span[]): Span {
  let [from, to] = [Infinity, -Infinity];
  for (const moment of moments) {
    from = Math.min(from, moment.from);
    to = Math.max(to, moment.to);
  }
  if (from > to) return { from: 0, to: MINUTE };
  const space = Math.max((to - from) * 0.02, SECOND);
  return { from: from - space, to: to + space };
}

/** How far along a span a time lies; 0 its begin, 1 its end. */
export function along(span: Span, time: number): number {
  return (time - span.from) / (span.to - span.from);
}

/** A part of the whole, wider or narrower by a factor around a share of it, and within it. */
export function zoomed(span: Span, factor: number, at: number, whole: Span): Span {
  const length = Math.min(Math.max((span.to - span.from) / factor, LEAST), whole.to - whole.from);
  const fixed = span.from + (span.to - span.from) * at;
  return within({ from: fixed - length * at, to: fixed + length * (1 - at) }, whole);
}

export function moved(span: Span, by: number, whole: Span): Span {
  const shift = (span.to - span.from) * by;
  return within({ from: span.from + shift, to: span.to + shift }, whole);
}

function within(span: Span, whole: Span): Span {
  const length = Math.min(span.to - span.from, whole.to - whole.from);
  const from = Math.min(Math.max(span.from, whole.from), whole.to - length);
  return { from, to: from + length };
}

export interface Tick {
  time: number;
  at: number;
  label: string;
}

/** Ticks at round times, as many as there is room for. `zone` is minutes east of UTC of the axis. */
export function ticks(span: Span, width: number, zone: number): Tick[] {
  const most = Math.max(1, Math.floor(width / ROOM));
  const step = STEPS.find((each) => (span.to - span.from) / each <= most) ?? STEPS[STEPS.length - 1]!;
  const shift = zone * MINUTE;
  const found: Tick[] = [];
  for (let time = Math.ceil((span.from + shift) / step) * step - shift; time <= span.to; time += step) {
    found.push({ time, at: along(span, time), label: labelOf(time + shift, step) });
  }
  return found;
}

function labelOf(local: number, step: number): string {
  const text = new Date(local).toISOString();
  if (step >= DAY) return text.slice(0, 10);
  const midnight = local % DAY === 0;
  if (midnight) return text.slice(5, 10);
  return step < MINUTE ? text.slice(11, 19) : text.slice(11, 16);
}

/** Seconds in words: `2.6 s`, `3 min`, `1.5 h`, `2 d`. */
export function duration(seconds: number): string {
  const tell = (value: number, unit: string) => `${value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
  if (seconds < 90) return tell(seconds, "s");
  if (seconds < 90 * 60) return tell(seconds / 60, "min");
  if (seconds < 48 * 3600) return tell(seconds / 3600, "h");
  return tell(seconds / 86400, "d");
}
