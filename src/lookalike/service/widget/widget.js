/*
 * A "search by photo" button for any site:
 *
 *   <script src="https://HOST/widget.js" data-collection="shop" data-key="lk_..."
 *           data-href="https://shop.example/p/{product}" defer></script>
 *
 * data-collection  the collection to search (needed)
 * data-key         an API key of scope read for this collection alone; everybody can see it in the page
 * data-href        where a hit leads; {id} and {ATTRIBUTE} become its values
 * data-caption     the attribute shown under a hit
 * data-where       a filter, such as in_stock
 * data-group-by    one hit for each value of this attribute
 * data-min-strength  leave out hits weaker than this, 0 to 1
 * data-k           how many hits (12)
 * data-label       the button's words (Search by photo)
 * data-target      a CSS selector of where the button goes; by default it floats at the lower right
 *
 * Nothing but this file is loaded; it runs under a Content-Security-Policy of script-src HOST; connect-src HOST.
 */
(() => {
  "use strict";
  const script = document.currentScript;
  const options = script.dataset;
  const service = new URL(script.src).origin;
  const LONGEST_SIDE = 1024;
  const MOST_TRIES = 3;

  const CSS = `
    :host { all: initial; font: 16px/1.4 system-ui, sans-serif; color-scheme: light dark; --accent: #1f6feb;
      --ground: light-dark(#fff, #17191d); --ink: light-dark(#16181d, #eceef2); --line: light-dark(#d4d8df, #3a3f48);
      --soft: light-dark(#f4f5f7, #22252b); color: var(--ink); }
    :host([floating]) { position: fixed; right: 16px; bottom: 16px; z-index: 2147483000; }
    * { box-sizing: border-box; }
    button, .pick { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px;
      min-height: 44px; background: var(--soft); cursor: pointer; display: inline-flex; align-items: center; gap: 8px; position: relative; }
    button:hover, .pick:hover { border-color: var(--accent); }
    .open { background: var(--accent); border-color: var(--accent); color: #fff; box-shadow: 0 2px 8px #0003; }
    :focus-visible, .pick:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; }
    svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; }
    dialog { border: 0; border-radius: 12px; padding: 20px; width: min(760px, calc(100vw - 24px));
      max-height: calc(100vh - 24px); background: var(--ground); color: var(--ink); }
    dialog::backdrop { background: #0008; }
    header { display: flex; justify-content: space-between; align-items: center; gap: 12px; margin-bottom: 12px; }
    h2 { font-size: 20px; margin: 0; }
    .drop { border: 2px dashed var(--line); border-radius: 12px; padding: 20px; display: flex; gap: 12px;
      flex-wrap: wrap; align-items: center; justify-content: center; text-align: center; }
    .drop.over { border-color: var(--accent); background: var(--soft); }
    .drop p { margin: 0; flex-basis: 100%; }
    input { position: absolute; width: 1px; height: 1px; opacity: 0; }
    .status { margin: 12px 0; min-height: 1.4em; }
    ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 12px;
      grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); }
    li a, li div { display: block; color: inherit; text-decoration: none; border: 1px solid var(--line);
      border-radius: 8px; overflow: hidden; }
    li a:hover { border-color: var(--accent); }
    canvas { display: block; width: 100%; aspect-ratio: 1; background: var(--soft); }
    li span { display: block; padding: 6px 8px; font-size: 14px; overflow-wrap: anywhere; }
  `;

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  const icon = () => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", "M4 8h3l2-3h6l2 3h3v11H4z M12 10a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z");
    svg.append(path);
    return svg;
  };

  const request = async (path, init = {}) => {
    const headers = options.key ? { Authorization: `Bearer ${options.key}` } : {};
    for (let attempt = 1; ; attempt++) {
      const answer = await fetch(service + path, { ...init, headers });
      const again = (answer.status === 503 || answer.status === 429) && attempt < MOST_TRIES;
      if (!again) return answer;
      const wait = Math.min(Number(answer.headers.get("Retry-After")) || 1, 10);
      await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
    }
  };

  /** The photo as a JPEG no larger than a search needs; as it is where the browser cannot read it. */
  const smaller = async (file) => {
    try {
      const bitmap = await createImageBitmap(file);
      const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
      const canvas = make("canvas", {
        width: Math.max(1, Math.round(bitmap.width * scale)),
        height: Math.max(1, Math.round(bitmap.height * scale)),
      });
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob || file), "image/jpeg", 0.9));
    } catch {
      return file;
    }
  };

  const search = async (file) => {
    const form = new FormData();
    form.append("image", await smaller(file), "photo.jpg");
    form.append("k", options.k || "12");
    if (options.where) form.append("where", options.where);
    if (options.minStrength) form.append("min_strength", options.minStrength);
    if (options.groupBy) form.append("group_by", options.groupBy);
    const path = `/v1/collections/${encodeURIComponent(options.collection)}/search`;
    const answer = await request(path, { method: "POST", body: form });
    const document = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(document.detail || document.title || `the service answered ${answer.status}`);
    return document.hits;
  };

  /** Where a hit leads; nothing but a web address. */
  const addressOf = (hit) => {
    if (!options.href) return null;
    const values = { ...hit.attributes, id: hit.id };
    const text = options.href.replace(/\{([^{}]+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
    const url = new URL(text, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  };

  /** Drawn, so that the page's policy need not allow pictures from the service, and the key is sent along. */
  const draw = async (canvas, path) => {
    const answer = await request(path);
    if (!answer.ok) return;
    const bitmap = await createImageBitmap(await answer.blob());
    const side = Math.max(bitmap.width, bitmap.height);
    canvas.width = canvas.height = side;
    canvas.getContext("2d").drawImage(bitmap, (side - bitmap.width) / 2, (side - bitmap.height) / 2);
  };

  const tile = (hit) => {
    const caption = String((options.caption && hit.attributes[options.caption]) ?? hit.id);
    const canvas = make("canvas", { width: 1, height: 1 });
    canvas.setAttribute("aria-hidden", "true");
    draw(canvas, hit.thumbnail).catch(() => {});
    const href = addressOf(hit);
    const inner = href ? make("a", { href }) : make("div");
    inner.append(canvas, make("span", { textContent: caption }));
    return make("li", {}, inner);
  };

  const build = () => {
    const label = options.label || "Search by photo";
    const host = make("lookalike-search");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];

    const status = make("p", { className: "status" });
    status.setAttribute("role", "status");
    const results = make("ul");
    const input = (capture) => {
      const field = make("input", { type: "file", accept: "image/*" });
      if (capture) field.setAttribute("capture", "environment");
      field.addEventListener("change", () => {
        if (field.files[0]) run(field.files[0]);
        field.value = "";
      });
      return field;
    };
    const drop = make(
      "div",
      { className: "drop" },
      make("p", { textContent: "Drop or paste a photo here, or" }),
      make("label", { className: "pick" }, "Choose a photo", input(false)),
      make("label", { className: "pick" }, icon(), "Take a photo", input(true)),
    );
    const close = make("button", { type: "button", textContent: "Close" });
    const title = make("h2", { id: "title", textContent: label });
    const dialog = make("dialog", {}, make("header", {}, title, close), drop, status, results);
    dialog.setAttribute("aria-labelledby", "title");
    const open = make("button", { type: "button", className: "open" }, icon(), label);
    root.append(open, dialog);

    let latest = 0;
    const run = async (file) => {
      const own = ++latest;
      results.replaceChildren();
      status.textContent = "Searching ...";
      try {
        const hits = await search(file);
        if (own !== latest) return;
        results.replaceChildren(...hits.map(tile));
        status.textContent = hits.length ? `${hits.length} found` : "Nothing looks like it. Try another photo.";
      } catch (error) {
        if (own === latest) status.textContent = `The search did not work: ${error.message}`;
      }
    };
    const first = (files) => [...files].find((file) => file.type.startsWith("image/"));

    open.addEventListener("click", () => dialog.showModal());
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    dialog.addEventListener("dragleave", () => drop.classList.remove("over"));
    dialog.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      const file = first(event.dataTransfer.files);
      if (file) run(file);
    });
    document.addEventListener("paste", (event) => {
      const file = dialog.open && first(event.clipboardData.files);
      if (file) run(file);
    });

    const target = options.target && document.querySelector(options.target);
    if (!target) host.setAttribute("floating", "");
    (target || document.body).append(host);
  };

  if (!options.collection) {
    console.error("lookalike: the script needs data-collection");
  } else if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", build);
  } else {
    build();
  }
})();
