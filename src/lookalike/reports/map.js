"use strict";
// The map's page: draws points with WebGL 2, or on a plain canvas where there is none; everything else is the
// page's own data. Positions are in the layout's units ("world"); zoom is CSS pixels per unit.

const DATA = JSON.parse(document.getElementById("data").textContent);
const $ = (selector) => document.querySelector(selector);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

const ids = DATA.ids, n = ids.length;
const xy = new Float32Array(bytes(DATA.xy));
const codes = new Uint16Array(bytes(DATA.codes)); // which colour of the palette each point has
const state = new Uint8Array(n); // 1: selected or found
const columns = DATA.columns.map((column) => ({
  name: column.name,
  at: column.numbers
    ? ((numbers) => (i) => (Number.isNaN(numbers[i]) ? null : numbers[i]))(new Float64Array(bytes(column.numbers)))
    : ((which) => (i) => column.values[which[i]])(new Uint32Array(bytes(column.codes))),
}));

const pointsCanvas = $("#points"), overlay = $("#overlay"), stage = $("#stage"), card = $("#card");
const pen = overlay.getContext("2d");
const view = { x: 0, y: 0, zoom: 1, fitted: 1, width: 1, height: 1, ratio: 1 };
let marked = 0, hovered = -1, tool = "pan", outline = null, showPictures = false, pending = false;

// Bounds and the grid that finds points under the pointer.
const bounds = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
for (let i = 0; i < n; i++) {
  bounds.left = Math.min(bounds.left, xy[2 * i]); bounds.right = Math.max(bounds.right, xy[2 * i]);
  bounds.low = Math.min(bounds.low, xy[2 * i + 1]); bounds.high = Math.max(bounds.high, xy[2 * i + 1]);
}
if (!n) Object.assign(bounds, { left: 0, right: 0, low: 0, high: 0 });
const side = clamp(Math.ceil(Math.sqrt(n / 4)), 1, 512);
const cellWidth = (bounds.right - bounds.left) / side || 1, cellHeight = (bounds.high - bounds.low) / side || 1;
const column = (x) => clamp(Math.floor((x - bounds.left) / cellWidth), 0, side - 1);
const row = (y) => clamp(Math.floor((y - bounds.low) / cellHeight), 0, side - 1);
const starts = new Uint32Array(side * side + 1), inCells = new Uint32Array(n);
for (let i = 0; i < n; i++) starts[row(xy[2 * i + 1]) * side + column(xy[2 * i]) + 1]++;
for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
const next = starts.slice();
for (let i = 0; i < n; i++) inCells[next[row(xy[2 * i + 1]) * side + column(xy[2 * i])]++] = i;

const visible = (i) => !hidden.has(codes[i]);
const toScreen = (i) => [
  (xy[2 * i] - view.x) * view.zoom + view.width / 2, (view.y - xy[2 * i + 1]) * view.zoom + view.height / 2];
const toWorld = (sx, sy) => [(sx - view.width / 2) / view.zoom + view.x, view.y - (sy - view.height / 2) / view.zoom];

function* within(left, low, right, high) { // points of the cells that a rectangle of the world touches
  for (let r = row(low); r <= row(high); r++) {
    const from = starts[r * side + column(left)], to = starts[r * side + column(right) + 1];
    for (let k = from; k < to; k++) yield inCells[k];
  }
}

function nearest(sx, sy, reach = 10) {
  const [x, y] = toWorld(sx, sy), far = reach / view.zoom;
  let best = -1, least = far * far;
  for (const i of within(x - far, y - far, x + far, y + far)) {
    const d = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
    if (d <= least && visible(i)) { least = d; best = i; }
  }
  return best;
}

// Colours: one palette for categories and scales; hidden kinds are transparent.
const hidden = new Set();
function rgb(hex, lift) {
  return [1, 3, 5].map((at) => { const c = parseInt(hex.slice(at, at + 2), 16); return Math.round(c + (255 - c) * lift); });
}
function paletteBytes() {
  const lift = isDark() ? 0.28 : 0, opacity = n > 20000 ? 0.7 : 0.88, out = new Uint8Array(DATA.palette.length * 4);
  DATA.palette.forEach((hex, code) => {
    out.set(rgb(hex, lift), 4 * code);
    out[4 * code + 3] = hidden.has(code) ? 0 : Math.round(255 * opacity);
  });
  return out;
}
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.style.colorScheme || (system.matches ? "dark" : "light")) === "dark";
const pointSize = () => {
  const base = n > 50000 ? 2 : n > 10000 ? 3 : n > 2000 ? 5 : 8;
  return clamp(base * Math.sqrt(view.zoom / view.fitted), base, 16);
};

// Drawing points.
function emulated() { // without a graphics processor WebGL is slower than the plain canvas; #webgl asks for it all the same
  const probe = document.createElement("canvas").getContext("webgl2"), about = probe?.getExtension("WEBGL_debug_renderer_info");
  const name = about ? probe.getParameter(about.UNMASKED_RENDERER_WEBGL) : "";
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name) && location.hash !== "#webgl";
}
function glPainter() {
  if (emulated()) return null;
  const gl = pointsCanvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
  if (!gl) return null;
  const shader = (kind, source) => {
    const made = gl.createShader(kind);
    gl.shaderSource(made, source); gl.compileShader(made);
    return made;
  };
  const program = gl.createProgram();
  gl.attachShader(program, shader(gl.VERTEX_SHADER, `#version 300 es
    in vec2 xy; in float code; in float state;
    uniform vec2 centre, scale; uniform float size, dim; uniform sampler2D palette;
    out vec4 colour; out float edge;
    void main() {
      colour = texelFetch(palette, ivec2(int(code), 0), 0);
      float mine = state > 0.5 && dim < 1.0 ? size * 1.5 : size;
      if (state < 0.5) colour.a *= dim;
      gl_Position = colour.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4((xy - centre) * scale, 0.0, 1.0);
      gl_PointSize = mine; edge = 1.0 / mine;
    }`));
  gl.attachShader(program, shader(gl.FRAGMENT_SHADER, `#version 300 es
    precision mediump float; in vec4 colour; in float edge; out vec4 painted;
    void main() {
      float alpha = colour.a * (1.0 - smoothstep(0.5 - edge, 0.5, length(gl_PointCoord - 0.5)));
      painted = vec4(colour.rgb * alpha, alpha);
    }`));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  const attribute = (name, data, width, kind) => {
    const buffer = gl.createBuffer(), at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, width, kind, false, 0, 0);
    return buffer;
  };
  attribute("xy", xy, 2, gl.FLOAT);
  attribute("code", codes, 1, gl.UNSIGNED_SHORT);
  attribute("state", state, 1, gl.UNSIGNED_BYTE);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const [centre, scale, size, dim] = ["centre", "scale", "size", "dim"].map(uniform);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return {
    recolour() {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, DATA.palette.length, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, paletteBytes());
    },
    mark() { gl.bufferSubData(gl.ARRAY_BUFFER, 0, state); }, // the last buffer bound is that of the states
    draw() {
      gl.viewport(0, 0, pointsCanvas.width, pointsCanvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(centre, view.x, view.y);
      gl.uniform2f(scale, (2 * view.zoom) / view.width, (2 * view.zoom) / view.height);
      gl.uniform1f(size, pointSize() * view.ratio);
      gl.uniform1f(dim, marked ? 0.15 : 1);
      gl.drawArrays(gl.POINTS, 0, n);
    },
  };
}

function plainPainter() { // writes pixels into one image: some milliseconds for 100,000 points
  const context = pointsCanvas.getContext("2d");
  let palette = new Uint32Array(DATA.palette.length);
  const solid = (c) => (255 << 24) | (c[2] << 16) | (c[1] << 8) | c[0];
  return {
    recolour() { palette = Uint32Array.from(DATA.palette, (hex, code) => (hidden.has(code) ? 0 : solid(rgb(hex, isDark() ? 0.28 : 0)))); },
    mark() {},
    draw() {
      const { width, height } = pointsCanvas, image = context.createImageData(width, height);
      const pixels = new Uint32Array(image.data.buffer), zoom = view.zoom * view.ratio;
      const size = Math.max(1, Math.round(pointSize() * view.ratio * 0.85)), half = size >> 1;
      const indent = Array.from({ length: size }, (_, y) => // of each row of a disc
        (size < 4 ? 0 : Math.round(size / 2 - Math.sqrt(size * size / 4 - (y + 0.5 - size / 2) ** 2))));
      const faint = isDark() ? 0xff3a3633 : 0xffdfe2e2;
      const paint = (i, colour) => {
        const left = Math.round((xy[2 * i] - view.x) * zoom + width / 2) - half;
        const top = Math.round((view.y - xy[2 * i + 1]) * zoom + height / 2) - half;
        if (left >= width || top >= height || left + size < 0 || top + size < 0) return;
        for (let y = Math.max(0, top), last = Math.min(height, top + size); y < last; y++) {
          const cut = indent[y - top], end = Math.min(width, left + size - cut);
          for (let x = Math.max(0, left + cut); x < end; x++) pixels[y * width + x] = colour;
        }
      };
      for (let i = 0; i < n; i++) if (palette[codes[i]] && !(marked && state[i])) paint(i, marked ? faint : palette[codes[i]]);
      if (marked) for (let i = 0; i < n; i++) if (palette[codes[i]] && state[i]) paint(i, palette[codes[i]]);
      context.putImageData(image, 0, 0);
    },
  };
}
const painter = glPainter() || plainPainter();

// Pictures: small ones lie in sheets; `rank` says which point has which.
const sheets = DATA.pictures ? DATA.pictures.sheets.map((source) => {
  const image = new Image();
  image.onload = redraw; image.src = source;
  return image;
}) : [];
const pictured = DATA.pictures ? new Uint32Array(bytes(DATA.pictures.points)) : new Uint32Array(0);
const rank = new Map(Array.from(pictured, (point, at) => [point, at]));
function drawPicture(context, at, x, y, size) {
  const { tile, across } = DATA.pictures, each = across * across, image = sheets[Math.floor(at / each)], own = at % each;
  if (image.complete && image.naturalWidth)
    context.drawImage(image, (own % across) * tile, Math.floor(own / across) * tile, tile, tile, x, y, size, size);
}
function drawPictures() { // those that fit beside each other, in the order in which they were chosen
  const size = 52, gap = 56, taken = new Set();
  for (let at = 0; at < pictured.length; at++) {
    const i = pictured[at];
    if (!visible(i) || (marked && !state[i])) continue;
    const [x, y] = toScreen(i);
    if (x < 0 || y < 0 || x > view.width || y > view.height) continue;
    const key = Math.floor(x / gap) * 65536 + Math.floor(y / gap);
    if (taken.has(key)) continue;
    taken.add(key);
    const left = Math.floor(x / gap) * gap + 2, top = Math.floor(y / gap) * gap + 2;
    pen.fillStyle = "#fff"; pen.fillRect(left - 1, top - 1, size + 2, size + 2);
    drawPicture(pen, at, left, top, size);
    const [r, g, b] = rgb(DATA.palette[codes[i]], 0);
    pen.strokeStyle = `rgb(${r} ${g} ${b})`; pen.lineWidth = 2; pen.strokeRect(left - 1, top - 1, size + 2, size + 2);
  }
}

function drawOverlay() {
  pen.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  pen.clearRect(0, 0, view.width, view.height);
  if (showPictures) drawPictures();
  const accent = getComputedStyle(document.body).getPropertyValue("color");
  if (hovered >= 0) {
    const [x, y] = toScreen(hovered);
    pen.beginPath(); pen.arc(x, y, pointSize() / 2 + 4, 0, 7);
    pen.lineWidth = 2; pen.strokeStyle = accent; pen.stroke();
  }
  if (outline && outline.length > 1) {
    pen.beginPath();
    outline.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.lineWidth = 1.5; pen.strokeStyle = accent; pen.fillStyle = isDark() ? "rgb(255 255 255 / .1)" : "rgb(0 0 0 / .07)";
    pen.fill(); pen.stroke();
  }
}
function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; painter.draw(); drawOverlay(); });
}

// Moving the view.
function resize() {
  const box = stage.getBoundingClientRect(), first = view.width === 1;
  Object.assign(view, { width: box.width, height: box.height, ratio: Math.min(2, devicePixelRatio || 1) });
  for (const canvas of [pointsCanvas, overlay]) {
    canvas.width = Math.round(box.width * view.ratio); canvas.height = Math.round(box.height * view.ratio);
  }
  if (first) fit();
  redraw();
}
function fit() {
  show(-1);
  const wide = bounds.right - bounds.left || 1, tall = bounds.high - bounds.low || 1;
  view.fitted = view.zoom = 0.92 * Math.min(view.width / wide, view.height / tall);
  view.x = (bounds.left + bounds.right) / 2; view.y = (bounds.low + bounds.high) / 2;
  redraw();
}
function zoomAt(sx, sy, factor) {
  const [x, y] = toWorld(sx, sy);
  view.zoom = clamp(view.zoom * factor, view.fitted / 4, view.fitted * 5000);
  view.x = x - (sx - view.width / 2) / view.zoom; view.y = y + (sy - view.height / 2) / view.zoom;
  redraw();
}
function moveBy(dx, dy) { view.x -= dx / view.zoom; view.y += dy / view.zoom; redraw(); }
function goTo(i) {
  view.x = xy[2 * i]; view.y = xy[2 * i + 1];
  view.zoom = Math.max(view.zoom, view.fitted * 6);
  show(i, view.width / 2, view.height / 2);
  redraw();
}

// The card of a point.
function text(value) {
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
function show(i, sx, sy) {
  if (i !== hovered) {
    hovered = i;
    redraw();
    if (i >= 0) fillCard(i);
  }
  card.hidden = i < 0;
  if (i < 0) return;
  const { offsetWidth: wide, offsetHeight: tall } = card;
  card.style.left = `${clamp(sx + 18 + wide > view.width ? sx - wide - 18 : sx + 18, 0, Math.max(0, view.width - wide))}px`;
  card.style.top = `${clamp(sy + 18, 0, Math.max(0, view.height - tall - 8))}px`;
}
function fillCard(i) {
  const canvas = card.querySelector("canvas"), at = rank.get(i), list = card.querySelector("dl");
  canvas.parentElement.hidden = at === undefined;
  if (at !== undefined) {
    canvas.width = canvas.height = DATA.pictures.tile;
    canvas.style.width = `${2 * DATA.pictures.tile}px`;
    drawPicture(canvas.getContext("2d"), at, 0, 0, DATA.pictures.tile);
  }
  card.querySelector("b").textContent = ids[i];
  list.replaceChildren();
  for (const { name, at: value } of columns) {
    if (value(i) === null || value(i) === undefined) continue;
    list.append(Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: text(value(i)) }));
  }
}

// Selecting.
function mark(test) {
  marked = 0;
  for (let i = 0; i < n; i++) marked += state[i] = visible(i) && test(i) ? 1 : 0;
  painter.mark(); redraw();
}
const chosen = () => { const list = []; for (let i = 0; i < n; i++) if (state[i]) list.push(i); return list; };
function select(test) {
  mark(test);
  $("#search").value = ""; $("#found").textContent = "";
  listChosen();
}
function listChosen() {
  const list = chosen(), shown = list.slice(0, 200);
  $("#count").textContent = list.length ? `${list.length.toLocaleString()} selected${list.length > 200 ? ", the first 200:" : ""}`
    : "Nothing is selected: draw a box or a lasso.";
  for (const name of ["#copy", "#save", "#clear"]) $(name).hidden = !list.length;
  $("#chosen ol").replaceChildren(...shown.map((i) => {
    const entry = document.createElement("li"), button = document.createElement("button");
    button.textContent = ids[i]; button.onclick = () => goTo(i);
    entry.append(button);
    return entry;
  }));
}
function inside(path, x, y) { // even-odd rule
  let odd = false;
  for (let a = 0, b = path.length - 1; a < path.length; b = a++) {
    const [ax, ay] = path[a], [bx, by] = path[b];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}
function selectOutline(path) {
  const xs = path.map((p) => p[0]), ys = path.map((p) => p[1]);
  const [left, high] = toWorld(Math.min(...xs), Math.min(...ys)), [right, low] = toWorld(Math.max(...xs), Math.max(...ys));
  const got = new Set();
  for (const i of within(left, low, right, high)) if (inside(path, ...toScreen(i))) got.add(i);
  select((i) => got.has(i));
}
$("#clear").onclick = () => select(() => false);
$("#copy").onclick = async () => {
  const lines = chosen().map((i) => ids[i]).join("\n");
  try { await navigator.clipboard.writeText(lines); } catch { // some browsers refuse it to a local file
    const area = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: lines }));
    area.select(); document.execCommand("copy"); area.remove();
  }
  $("#count").textContent = `${marked.toLocaleString()} ids copied`;
};
$("#save").onclick = () => {
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const names = ["id", "x", "y", ...columns.map((c) => c.name)];
  const lines = chosen().map((i) => [ids[i], xy[2 * i], xy[2 * i + 1], ...columns.map((c) => c.at(i) ?? "")].map((v) => quoted(String(v))).join(","));
  const blob = new Blob([[names.map(quoted).join(","), ...lines, ""].join("\n")], { type: "text/csv" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "selection.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

// Searching.
let foundAt = -1;
$("#search").oninput = () => {
  const asked = $("#search").value.trim().toLowerCase();
  foundAt = -1;
  mark((i) => asked !== "" && ids[i].toLowerCase().includes(asked));
  listChosen();
  $("#found").textContent = asked ? `${marked.toLocaleString()} found${marked ? "; Enter goes from one to the next" : ""}` : "";
};
$("#search").onkeydown = (event) => {
  if (event.key !== "Enter" || !marked) return;
  const list = chosen();
  foundAt = (foundAt + 1) % list.length;
  goTo(list[foundAt]);
  $("#found").textContent = `${foundAt + 1} of ${list.length.toLocaleString()}: ${ids[list[foundAt]]}`;
};

// The legend.
function legend() {
  const { legend: about } = DATA, box = $("#legend");
  if (!about) return;
  box.hidden = false;
  box.querySelector("h2").textContent = `Colour: ${about.name}`;
  if (about.scale) {
    const bar = Object.assign(document.createElement("div"), { className: "scale" });
    bar.style.background = `linear-gradient(90deg, ${about.scale.stops.join(", ")})`;
    const ends = Object.assign(document.createElement("div"), { className: "ends" });
    ends.append(...[about.scale.low, about.scale.high].map((v) => Object.assign(document.createElement("span"), { textContent: text(v) })));
    box.append(bar, ends, Object.assign(document.createElement("p"), { className: "said", textContent: about.scale.note }));
    return;
  }
  const list = document.createElement("ul"), buttons = [];
  const apply = () => {
    buttons.forEach((button, code) => button.setAttribute("aria-pressed", String(!hidden.has(code))));
    painter.recolour(); redraw();
  };
  about.names.forEach((name, code) => {
    const entry = document.createElement("li"), button = document.createElement("button");
    const dot = document.createElement("i");
    dot.style.background = DATA.palette[code];
    button.append(dot, Object.assign(document.createElement("span"), { textContent: name }),
      Object.assign(document.createElement("small"), { textContent: about.counts[code].toLocaleString() }));
    button.onclick = () => { hidden.has(code) ? hidden.delete(code) : hidden.add(code); apply(); };
    button.ondblclick = () => { about.names.forEach((_, other) => hidden.add(other)); hidden.delete(code); apply(); };
    buttons.push(button); entry.append(button); list.append(entry);
  });
  const all = Object.assign(document.createElement("button"), { textContent: "Show all" });
  all.onclick = () => { hidden.clear(); apply(); };
  const none = Object.assign(document.createElement("button"), { textContent: "Hide all" });
  none.onclick = () => { about.names.forEach((_, code) => hidden.add(code)); apply(); };
  const tools = Object.assign(document.createElement("div"), { className: "tools" });
  tools.append(all, none);
  box.append(tools, list);
  apply();
}

// Pointer, wheel, keys.
const pointers = new Map();
const at = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
pointsCanvas.onpointerdown = (event) => {
  pointsCanvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  const drawing = pointers.size === 1 && (event.shiftKey ? "box" : tool);
  outline = drawing && drawing !== "pan" ? [at(event)] : null;
  pointsCanvas.dataset.drawing = drawing || "pan";
  pointsCanvas.classList.toggle("moving", !outline);
};
pointsCanvas.onpointermove = (event) => {
  const [x, y] = at(event), before = pointers.get(event.pointerId);
  if (!before) return show(nearest(x, y), x, y);
  if (pointers.size === 2) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const length = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
    zoomAt((x + other[0]) / 2, (y + other[1]) / 2, length([x, y]) / length(before));
    moveBy((x - before[0]) / 2, (y - before[1]) / 2);
  } else if (outline) {
    const [x0, y0] = outline[0];
    if (pointsCanvas.dataset.drawing === "box") outline = [[x0, y0], [x, y0], [x, y], [x0, y]];
    else outline.push([x, y]);
    redraw();
  } else moveBy(x - before[0], y - before[1]);
  pointers.set(event.pointerId, [x, y]);
};
pointsCanvas.onpointerup = pointsCanvas.onpointercancel = (event) => {
  pointers.delete(event.pointerId);
  pointsCanvas.classList.remove("moving");
  if (outline && outline.length > 2 && event.type === "pointerup") selectOutline(outline);
  outline = null;
  redraw();
};
pointsCanvas.onpointerleave = () => { if (!pointers.size) show(-1); };
pointsCanvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomAt(...at(event), Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
}, { passive: false });
function setTool(name) {
  tool = name;
  document.querySelectorAll("[data-tool]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.tool === name)));
  pointsCanvas.classList.toggle("drawing", name !== "pan");
}
document.querySelectorAll("[data-tool]").forEach((button) => { button.onclick = () => setTool(button.dataset.tool); });
function togglePictures() {
  showPictures = !showPictures && pictured.length > 0;
  $("#pictures").setAttribute("aria-pressed", String(showPictures));
  redraw();
}
$("#pictures").hidden = !pictured.length;
$("#pictures").onclick = togglePictures;
$("#fit").onclick = fit;
$("#theme").onclick = () => {
  const order = ["", "light", "dark"], root = document.documentElement.style;
  root.colorScheme = order[(order.indexOf(root.colorScheme) + 1) % 3];
  painter.recolour(); redraw();
};
system.onchange = () => { painter.recolour(); redraw(); };
document.onkeydown = (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = 60, arrows = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  const others = {
    "+": () => zoomAt(view.width / 2, view.height / 2, 1.4), "=": () => zoomAt(view.width / 2, view.height / 2, 1.4),
    "-": () => zoomAt(view.width / 2, view.height / 2, 1 / 1.4), 0: fit, p: () => setTool("pan"), b: () => setTool("box"),
    l: () => setTool("lasso"), i: togglePictures, Escape: () => { show(-1); select(() => false); },
  };
  if (event.key in arrows && event.target === pointsCanvas) { event.preventDefault(); moveBy(...arrows[event.key]); }
  else others[event.key.length === 1 ? event.key.toLowerCase() : event.key]?.();
};

painter.recolour();
legend();
new ResizeObserver(resize).observe(stage);
resize();
