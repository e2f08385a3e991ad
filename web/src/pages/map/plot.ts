/** The map as a thing on a canvas: what it shows, and when it is drawn. Knows nothing of React. */

import { CanvasRenderer } from "./canvas-renderer";
import { rgb, type Rgb } from "./colouring";
import { Grid } from "./grid";
import { bounds, type Points } from "./points";
import { HIDDEN, WebglRenderer, type Renderer } from "./renderer";
import { Pace } from "./pace";
import * as views from "./view";
import type { Place, Size, View } from "./view";

const GLIDE_MS = 320;
/** After a while without a change everything is drawn, however long that takes. */
const REST_MS = 120;
/** CSS pixels from a point within which it counts as pointed at. */
const REACH = 14;

export class Plot {
  readonly grid: Grid;
  view: View;
  size: Size = { width: 1, height: 1 };
  /** Called after each frame. */
  onDrawn: (() => void) | null = null;
  private renderer: Renderer;
  private whole: View;
  private box: readonly [number, number, number, number];
  private states: Uint8Array;
  private colours: Uint8Array;
  private ring: Rgb = rgb("#000000");
  private pending = 0;
  private glide: { from: View; to: View; start: number } | null = null;
  private untouched = true;
  private readonly pace = new Pace();
  private resting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    readonly points: Points,
  ) {
    this.grid = new Grid(points);
    this.box = bounds(points);
    this.whole = this.view = views.fit(this.box, this.size);
    this.states = new Uint8Array(points.ids.length);
    this.colours = new Uint8Array(3 * points.ids.length);
    this.renderer = rendererOn(canvas);
    canvas.addEventListener("webglcontextlost", this.lost);
    canvas.addEventListener("webglcontextrestored", this.restored);
    this.fill();
  }

  get slow(): boolean {
    return this.renderer.kind === "canvas";
  }

  get zoom(): number {
    return this.view.scale / this.whole.scale;
  }

  resize(size: Size, density: number): void {
    this.size = size;
    this.canvas.width = Math.max(1, Math.round(size.width * density));
    this.canvas.height = Math.max(1, Math.round(size.height * density));
    this.whole = views.fit(this.box, size);
    if (this.untouched) this.view = this.whole;
    this.drawNow();
  }

  colour(colours: Uint8Array, ring: string): void {
    this.colours = colours;
    this.ring = rgb(ring);
    this.renderer.colour(colours);
    this.draw();
  }

  mark(states: Uint8Array): void {
    this.states = states;
    this.renderer.mark(states);
    this.draw();
  }

  isShown = (point: number): boolean => (this.states[point]! & HIDDEN) === 0;

  pan(byX: number, byY: number): void {
    this.show(views.panned(this.view, byX, byY));
  }

  zoomAt(factor: number, at: Place): void {
    this.show(views.zoomed(this.view, this.size, factor, at, this.whole));
  }

  zoomBy(factor: number, still: boolean): void {
    const from = this.glide?.to ?? this.view;
    const middle = [this.size.width / 2, this.size.height / 2] as const;
    this.glideTo(views.zoomed(from, this.size, factor, middle, this.whole), still);
  }

  /** Shows all points, or those given, whole. */
  fit(still: boolean, which?: readonly number[]): void {
    const target = which?.length ? views.fit(bounds(this.points, which), this.size) : this.whole;
    const scale = Math.min(target.scale, this.whole.scale * 60);
    this.glideTo({ ...target, scale }, still);
    if (!which?.length) this.untouched = true;
  }

  /** Moves a point into view when it is not. */
  reveal(point: number, still: boolean): void {
    const [x, y] = this.screenOf(point);
    const { width, height } = this.size;
    if (x > 24 && y > 24 && x < width - 24 && y < height - 24) return;
    this.glideTo({ ...this.view, x: this.points.x[point]!, y: this.points.y[point]! }, still);
  }

  screenOf(point: number): [number, number] {
    return views.toScreen(this.view, this.size, this.points.x[point]!, this.points.y[point]!);
  }

  /** The point under a place of the screen; -1: none. */
  at(place: Place): number {
    const [x, y] = views.toPlane(this.view, this.size, place);
    return this.grid.nearest(x, y, REACH / this.view.scale, this.isShown);
  }

  /** The shown points that a shape drawn on the screen encloses. */
  enclosed(shape: readonly Place[]): number[] {
    const polygon = shape.map((place) => views.toPlane(this.view, this.size, place));
    return this.grid.inside(polygon, this.isShown);
  }

  /** The shown points in view. */
  inView(): number[] {
    const [left, top] = views.toPlane(this.view, this.size, [0, 0]);
    const [right, bottom] = views.toPlane(this.view, this.size, [this.size.width, this.size.height]);
    return this.grid.within(left, bottom, right, top, this.isShown);
  }

  draw(): void {
    if (this.pending === 0) this.pending = requestAnimationFrame(this.tick);
  }

  dispose(): void {
    cancelAnimationFrame(this.pending);
    clearTimeout(this.resting);
    this.canvas.removeEventListener("webglcontextlost", this.lost);
    this.canvas.removeEventListener("webglcontextrestored", this.restored);
    this.renderer.dispose();
  }

  private show(view: View): void {
    this.glide = null;
    this.untouched = false;
    this.view = view;
    this.draw();
  }

  private glideTo(to: View, still: boolean): void {
    this.show(still ? to : this.view);
    if (!still) this.glide = { from: this.view, to, start: performance.now() };
  }

  private tick = (now: number): void => {
    this.pending = 0;
    if (this.glide) {
      const share = Math.min(Math.max((now - this.glide.start) / GLIDE_MS, 0), 1);
      this.view = views.between(this.glide.from, this.glide.to, share);
      if (share === 1) this.glide = null;
      else this.draw();
    }
    const share = this.pace.frame(now);
    this.drawNow(share);
    clearTimeout(this.resting);
    if (share < 1) this.resting = setTimeout(() => this.drawNow(), REST_MS);
  };

  private drawNow(share = 1): void {
    const points = views.pointSize(this.points.ids.length, this.view, this.whole);
    this.renderer.draw({ view: this.view, size: this.size, points, ring: this.ring, share });
    this.onDrawn?.();
  }

  private fill(): void {
    this.renderer.place(this.points.x, this.points.y);
    this.renderer.colour(this.colours);
    this.renderer.mark(this.states);
  }

  private lost = (event: Event): void => event.preventDefault();

  private restored = (): void => {
    this.renderer = rendererOn(this.canvas);
    this.fill();
    this.draw();
  };
}

function rendererOn(canvas: HTMLCanvasElement): Renderer {
  const renderer = WebglRenderer.on(canvas) ?? CanvasRenderer.on(canvas);
  if (renderer === null) throw new Error("This browser gives no canvas to draw the map on.");
  return renderer;
}
