/** Thumbnails on the map: where there is room, one a cell of the screen, moving with the points they belong to. */

import type { Plot } from "./plot";

const CELL = 92;
const PICTURE = 44;
const SETTLED_MS = 140;
const MOST = 80;

/** Of the points in view one a cell, the nearest to its middle; none nearer to another than a picture is wide. */
export function spread(plot: Pick<Plot, "inView" | "screenOf">): number[] {
  const best = new Map<string, { point: number; far: number }>();
  for (const point of plot.inView()) {
    const [x, y] = plot.screenOf(point);
    const [column, row] = [Math.floor(x / CELL), Math.floor(y / CELL)];
    const far = Math.hypot(x - (column + 0.5) * CELL, y - (row + 0.5) * CELL);
    const key = `${column} ${row}`;
    if (far < (best.get(key)?.far ?? Infinity)) best.set(key, { point, far });
  }
  const chosen: number[] = [];
  for (const { point } of [...best.values()].sort((a, b) => a.far - b.far)) {
    const [x, y] = plot.screenOf(point);
    const free = chosen.every((other) => {
      const [ox, oy] = plot.screenOf(other);
      return Math.abs(ox - x) > PICTURE + 4 || Math.abs(oy - y) > PICTURE + 4;
    });
    if (free) chosen.push(point);
    if (chosen.length === MOST) break;
  }
  return chosen;
}

export class Pictures {
  private readonly shown = new Map<number, HTMLImageElement>();
  private settling: ReturnType<typeof setTimeout> | undefined;
  private viewed = "";

  constructor(
    private readonly layer: HTMLElement,
    private readonly plot: Plot,
    private readonly address: (point: number) => string,
    private readonly colour: (point: number) => string,
  ) {}

  /** After each frame: the pictures follow their points at once, and are chosen anew once the view rests. */
  follow(): void {
    for (const [point, image] of this.shown) this.put(point, image);
    const view = Object.values(this.plot.view).join() + Object.values(this.plot.size).join();
    if (view === this.viewed) return;
    this.viewed = view;
    this.renew();
  }

  renew(): void {
    clearTimeout(this.settling);
    this.settling = setTimeout(this.choose, SETTLED_MS);
  }

  dispose(): void {
    clearTimeout(this.settling);
    this.layer.replaceChildren();
  }

  private choose = (): void => {
    const chosen = new Set(spread(this.plot));
    for (const [point, image] of this.shown) {
      if (chosen.has(point)) continue;
      image.remove();
      this.shown.delete(point);
    }
    for (const point of chosen) {
      const image = this.shown.get(point) ?? this.add(point);
      image.style.borderColor = this.colour(point);
      this.put(point, image);
    }
  };

  private add(point: number): HTMLImageElement {
    const image = document.createElement("img");
    image.className = "map-picture";
    image.alt = "";
    image.decoding = "async";
    image.onerror = () => image.remove();
    image.src = this.address(point);
    this.shown.set(point, image);
    this.layer.append(image);
    return image;
  }

  private put(point: number, image: HTMLImageElement): void {
    const [x, y] = this.plot.screenOf(point);
    image.style.transform = `translate(${(x - PICTURE / 2).toFixed(1)}px, ${(y - PICTURE / 2).toFixed(1)}px)`;
  }
}
