/** Draws the points without WebGL: squares on a plain canvas. Slower, and the page says so. */

import { DIMMED, HIDDEN, MARKED, type Frame, type Renderer } from "./renderer";
import { toScreen } from "./view";

export class CanvasRenderer implements Renderer {
  readonly kind = "canvas";
  private x: Float32Array = new Float32Array();
  private y: Float32Array = new Float32Array();
  private colours: Uint8Array = new Uint8Array();
  private states: Uint8Array = new Uint8Array();

  private constructor(private readonly context: CanvasRenderingContext2D) {}

  static on(canvas: HTMLCanvasElement): CanvasRenderer | null {
    const context = canvas.getContext("2d");
    return context === null ? null : new CanvasRenderer(context);
  }

  place(x: Float32Array, y: Float32Array): void {
    this.x = x;
    this.y = y;
  }

  colour(colours: Uint8Array): void {
    this.colours = colours;
  }

  mark(states: Uint8Array): void {
    this.states = states;
  }

  draw(frame: Frame): void {
    const { context } = this;
    const dense = context.canvas.width / Math.max(frame.size.width, 1);
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, frame.size.width, frame.size.height);
    for (const marked of [0, MARKED]) this.drawThose(marked, frame);
  }

  dispose(): void {
    this.x = this.y = new Float32Array();
  }

  private drawThose(marked: number, { view, size, points, ring, share }: Frame): void {
    const { context, colours, states } = this;
    const wide = marked ? points * 1.5 : points;
    const stride = marked ? 1 : Math.max(1, Math.round(1 / share));
    for (let point = 0; point < this.x.length; point += stride) {
      const state = states[point]!;
      if ((state & HIDDEN) !== 0 || (state & MARKED) !== marked) continue;
      const [left, top] = toScreen(view, size, this.x[point]!, this.y[point]!);
      if (left < -wide || top < -wide || left > size.width + wide || top > size.height + wide) continue;
      if (marked) {
        context.globalAlpha = 1;
        context.fillStyle = `rgb(${ring.join(" ")})`;
        context.fillRect(left - wide / 2 - 2, top - wide / 2 - 2, wide + 4, wide + 4);
      }
      context.globalAlpha = state & DIMMED ? 0.14 : 0.9;
      context.fillStyle = `rgb(${colours[3 * point]} ${colours[3 * point + 1]} ${colours[3 * point + 2]})`;
      context.fillRect(left - wide / 2, top - wide / 2, wide, wide);
    }
  }
}
