/** Draws the points: what a renderer is told, and the one on WebGL 2. */

import type { Rgb } from "./colouring";
import type { Size, View } from "./view";

/** State of a point, one bit each. */
export const HIDDEN = 1;
export const MARKED = 2;
export const DIMMED = 4;

/** Marked points up to this number are drawn whatever the share. */
const ALWAYS = 2000;

export interface Frame {
  view: View;
  size: Size;
  /** Diameter of a point in CSS pixels. */
  points: number;
  /** Drawn around marked points. */
  ring: Rgb;
  /** Share of the points that is drawn, spread evenly over the map; a few marked ones are drawn always. */
  share: number;
}

export interface Renderer {
  readonly kind: "webgl" | "canvas";
  place(x: Float32Array, y: Float32Array): void;
  /** uint8 (3 n). */
  colour(colours: Uint8Array): void;
  /** uint8 (n), the bits above. */
  mark(states: Uint8Array): void;
  draw(frame: Frame): void;
  dispose(): void;
}

const VERTEX = `#version 300 es
layout(location = 0) in vec2 place;
layout(location = 1) in vec3 colour;
layout(location = 2) in uint state;
uniform vec2 centre;
uniform vec2 zoom;
uniform float diameter;
uniform float pass;
out vec4 fill;
flat out vec2 disc; // diameter in pixels, whether it is marked
void main() {
  bool isMarked = (state & 2u) != 0u;
  bool shown = (state & 1u) == 0u && isMarked == (pass > 0.5);
  gl_Position = shown ? vec4((place - centre) * zoom, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  disc = isMarked ? vec2(diameter * 1.5 + 4.0, 1.0) : vec2(diameter, 0.0);
  gl_PointSize = disc.x;
  fill = vec4(colour, (state & 4u) != 0u ? 0.14 : 0.9);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 fill;
flat in vec2 disc;
uniform vec3 ring;
out vec4 pixel;
void main() {
  float far = length(gl_PointCoord - 0.5) * disc.x;
  float cover = clamp(disc.x * 0.5 - far + 0.5, 0.0, 1.0);
  if (cover <= 0.0) discard;
  float rim = disc.y * clamp(far - disc.x * 0.5 + 2.5, 0.0, 1.0);
  float alpha = max(fill.a, rim) * cover;
  pixel = vec4(mix(fill.rgb, ring, rim) * alpha, alpha);
}`;

/**
 * An order of n points whose every beginning is spread evenly: a share of them shows the whole map.
 *
 * Fisher-Yates shuffle by a linear congruential generator (Numerical Recipes' constants), the same for each n.
 */
export function shuffled(n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, at) => at);
  let state = 1;
  for (let at = n - 1; at > 0; at--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** All points in one draw call; a second one, only where some are marked, puts those on top. */
export class WebglRenderer implements Renderer {
  readonly kind = "webgl";
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private readonly buffers: WebGLBuffer[];
  private readonly uniforms: Record<"centre" | "zoom" | "diameter" | "pass" | "ring", WebGLUniformLocation | null>;
  /** Point of each place in the buffers. */
  private order = new Uint32Array();
  private marked = 0;

  private constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.program = linked(gl);
    this.buffers = [0, 1, 2, 3].map(() => gl.createBuffer()!);
    const of = (name: string) => gl.getUniformLocation(this.program, name);
    this.uniforms = { centre: of("centre"), zoom: of("zoom"), diameter: of("diameter"), pass: of("pass"), ring: of("ring") };
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    for (const at of [0, 1, 2]) gl.enableVertexAttribArray(at);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers[3]!);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[0]!);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[1]!);
    gl.vertexAttribPointer(1, 3, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[2]!);
    gl.vertexAttribIPointer(2, 1, gl.UNSIGNED_BYTE, 0, 0);
  }

  /** Null: the browser has no WebGL 2. */
  static on(canvas: HTMLCanvasElement): WebglRenderer | null {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, depth: false, premultipliedAlpha: true });
    return gl === null ? null : new WebglRenderer(gl);
  }

  place(x: Float32Array, y: Float32Array): void {
    this.order = shuffled(x.length) as Uint32Array<ArrayBuffer>;
    const places = new Float32Array(2 * x.length);
    this.order.forEach((point, at) => {
      places[2 * at] = x[point]!;
      places[2 * at + 1] = y[point]!;
    });
    this.upload(0, places, this.gl.STATIC_DRAW);
  }

  colour(colours: Uint8Array): void {
    const ordered = new Uint8Array(colours.length);
    this.order.forEach((point, at) => {
      ordered[3 * at] = colours[3 * point]!;
      ordered[3 * at + 1] = colours[3 * point + 1]!;
      ordered[3 * at + 2] = colours[3 * point + 2]!;
    });
    this.upload(1, ordered, this.gl.DYNAMIC_DRAW);
  }

  mark(states: Uint8Array): void {
    const ordered = new Uint8Array(states.length);
    const marked: number[] = [];
    this.order.forEach((point, at) => {
      ordered[at] = states[point]!;
      if ((ordered[at]! & MARKED) !== 0) marked.push(at);
    });
    this.marked = marked.length;
    this.upload(2, ordered, this.gl.DYNAMIC_DRAW);
    this.gl.bufferData(this.gl.ELEMENT_ARRAY_BUFFER, Uint32Array.from(marked), this.gl.DYNAMIC_DRAW);
  }

  draw({ view, size, points, ring, share }: Frame): void {
    const { gl, uniforms } = this;
    const dense = gl.drawingBufferWidth / Math.max(size.width, 1);
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.centre, view.x, view.y);
    gl.uniform2f(uniforms.zoom, (2 * view.scale) / size.width, (2 * view.scale) / size.height);
    gl.uniform1f(uniforms.diameter, points * dense);
    gl.uniform3f(uniforms.ring, ring[0] / 255, ring[1] / 255, ring[2] / 255);
    gl.uniform1f(uniforms.pass, 0);
    gl.drawArrays(gl.POINTS, 0, Math.ceil(this.order.length * share));
    if (this.marked === 0) return;
    gl.uniform1f(uniforms.pass, 1);
    gl.drawElements(gl.POINTS, Math.max(Math.ceil(this.marked * share), Math.min(this.marked, ALWAYS)), gl.UNSIGNED_INT, 0);
  }

  dispose(): void {
    for (const buffer of this.buffers) this.gl.deleteBuffer(buffer);
    this.gl.deleteProgram(this.program);
  }

  private upload(at: number, values: Float32Array | Uint8Array, usage: number): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[at]!);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values as ArrayBufferView<ArrayBuffer>, usage);
  }
}

function linked(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram()!;
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`the map's shaders do not compile here: ${gl.getProgramInfoLog(program) ?? "no reason given"}`);
  }
  return program;
}
