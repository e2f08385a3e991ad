/** Pointers and wheels on the map: drag to move, pinch or wheel to zoom, draw to select, click to choose. */

import type { Plot } from "./plot";
import type { Place } from "./view";

export type Tool = "move" | "lasso" | "box";

export interface Listener {
  tool: () => Tool;
  /** The point under the pointer, -1: none. */
  onHover: (point: number) => void;
  /** What is being drawn, in CSS pixels of the canvas; null: nothing any more. */
  onDraw: (shape: readonly Place[] | null) => void;
  onEnclosed: (points: number[], add: boolean) => void;
  onClick: (point: number, add: boolean) => void;
}

/** Movement below which pressing is a click, CSS pixels. */
const STILL = 4;
/** Least distance between two corners of a lasso, CSS pixels. */
const STEP = 3;
const WHEEL_SPEED = 0.0018;

export class Gestures {
  private readonly pointers = new Map<number, Place>();
  private shape: Place[] | null = null;
  private start: Place = [0, 0];
  private moved = false;
  private hovering = 0;

  constructor(
    private readonly target: HTMLElement,
    private readonly plot: Plot,
    private readonly listener: Listener,
  ) {
    target.addEventListener("pointerdown", this.down);
    target.addEventListener("pointermove", this.move);
    target.addEventListener("pointerup", this.up);
    target.addEventListener("pointercancel", this.cancel);
    target.addEventListener("pointerleave", this.leave);
    target.addEventListener("wheel", this.wheel, { passive: false });
  }

  dispose(): void {
    cancelAnimationFrame(this.hovering);
    this.target.removeEventListener("pointerdown", this.down);
    this.target.removeEventListener("pointermove", this.move);
    this.target.removeEventListener("pointerup", this.up);
    this.target.removeEventListener("pointercancel", this.cancel);
    this.target.removeEventListener("pointerleave", this.leave);
    this.target.removeEventListener("wheel", this.wheel);
  }

  private placeOf(event: MouseEvent): Place {
    const box = this.target.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down = (event: PointerEvent): void => {
    if (event.button > 1) return;
    const place = this.placeOf(event);
    this.target.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, place);
    if (this.pointers.size > 1) {
      this.endShape();
      this.moved = true;
      return;
    }
    [this.start, this.moved] = [place, false];
    const draws = this.listener.tool() !== "move" || event.shiftKey;
    this.shape = draws && event.button === 0 ? [place] : null;
  };

  private move = (event: PointerEvent): void => {
    const place = this.placeOf(event);
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) {
      this.hover(place);
      return;
    }
    if (Math.hypot(place[0] - this.start[0], place[1] - this.start[1]) > STILL) this.moved = true;
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, place);
    else if (this.shape) this.drawTo(place);
    else if (this.moved) this.plot.pan(place[0] - before[0], place[1] - before[1]);
    this.pointers.set(event.pointerId, place);
    if (this.moved) this.listener.onHover(-1);
  };

  private up = (event: PointerEvent): void => {
    if (!this.pointers.delete(event.pointerId)) return;
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    if (this.shape && this.moved) this.listener.onEnclosed(this.plot.enclosed(this.corners()), add);
    else if (!this.moved) this.listener.onClick(this.plot.at(this.placeOf(event)), add);
    this.endShape();
  };

  private cancel = (event: PointerEvent): void => {
    this.pointers.delete(event.pointerId);
    this.endShape();
  };

  private leave = (): void => {
    cancelAnimationFrame(this.hovering);
    this.listener.onHover(-1);
  };

  private wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.plot.zoomAt(Math.exp(-event.deltaY * lines * WHEEL_SPEED), this.placeOf(event));
  };

  /** One look a frame: pointers report more often than the screen is drawn. */
  private hover(place: Place): void {
    cancelAnimationFrame(this.hovering);
    this.hovering = requestAnimationFrame(() => this.listener.onHover(this.plot.at(place)));
  }

  private pinch(moving: number, before: Place, now: Place): void {
    const other = [...this.pointers].find(([id]) => id !== moving)?.[1];
    if (!other) return;
    const apart = (place: Place) => Math.hypot(place[0] - other[0], place[1] - other[1]);
    if (apart(before) < 1) return;
    this.plot.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.plot.zoomAt(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
  }

  private drawTo(place: Place): void {
    const shape = this.shape!;
    const last = shape[shape.length - 1]!;
    if (this.listener.tool() === "box") this.shape = [shape[0]!, place];
    else if (Math.hypot(place[0] - last[0], place[1] - last[1]) >= STEP) shape.push(place);
    this.listener.onDraw(this.corners());
  }

  private corners(): readonly Place[] {
    const shape = this.shape!;
    if (this.listener.tool() !== "box" || shape.length < 2) return [...shape];
    const [[left, top], [right, bottom]] = shape as [Place, Place];
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }

  private endShape(): void {
    this.shape = null;
    this.listener.onDraw(null);
  }
}
