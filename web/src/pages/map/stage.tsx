import { type KeyboardEvent, type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import { Gestures, type Tool } from "./gestures";
import { stepFrom } from "./grid";
import { HoverCard } from "./hover-card";
import { Pictures } from "./pictures";
import { Plot } from "./plot";
import type { Points } from "./points";
import type { Place } from "./view";

export interface StageHandle {
  zoomBy: (factor: number) => void;
  /** Shows all points, or those given. */
  fit: (points?: readonly number[]) => void;
  reveal: (point: number) => void;
  inView: () => number[];
}

export interface StageProps {
  points: Points;
  colours: Uint8Array;
  states: Uint8Array;
  ring: string;
  tool: Tool;
  pictures: boolean;
  thumbnail: (point: number) => string;
  /** What is said of a point beside its id. */
  about: (point: number) => string | null;
  focused: number;
  onFocus: (point: number) => void;
  /** Points that were drawn around or clicked on; `add`: to those selected already. */
  onSelect: (points: number[], add: boolean) => void;
  /** The view rests somewhere else. */
  onRest: () => void;
  ref: Ref<StageHandle>;
}

const DIRECTIONS: Record<string, Place> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const KEYS =
  "Arrow keys go from picture to picture, Shift and arrow keys move the map, plus and minus zoom, 0 shows everything, Enter selects, Escape selects nothing.";

const isStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The canvas with everything that happens on it. */
export function Stage(props: StageProps) {
  const { points, colours, states, ring, focused } = props;
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const pictures = useRef<Pictures | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [hovered, setHovered] = useState(-1);
  const [shape, setShape] = useState<readonly Place[] | null>(null);
  const [slow, setSlow] = useState(false);
  const [, setDrawn] = useState(0);

  useLayoutEffect(() => {
    const made = (plot.current = new Plot(canvas.current!, points));
    setSlow(made.slow);
    const listener = {
      tool: () => latest.current.tool,
      onHover: setHovered,
      onDraw: setShape,
      onEnclosed: (found: number[], add: boolean) => latest.current.onSelect(found, add),
      onClick: (point: number, add: boolean) => latest.current.onSelect(point < 0 ? [] : [point], add),
    };
    const gestures = new Gestures(stage.current!, made, listener);
    let resting: ReturnType<typeof setTimeout> | undefined;
    made.onDrawn = () => {
      pictures.current?.follow();
      clearTimeout(resting);
      resting = setTimeout(() => (latest.current.onRest(), setDrawn((now) => now + 1)), 160);
    };
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      made.resize({ width, height }, Math.min(window.devicePixelRatio, 2));
    });
    watch.observe(stage.current!);
    return () => {
      watch.disconnect();
      gestures.dispose();
      clearTimeout(resting);
      made.dispose();
      plot.current = null;
    };
  }, [points]);

  useEffect(() => plot.current?.colour(colours, ring), [points, colours, ring]);
  useEffect(() => {
    plot.current?.mark(states);
    pictures.current?.renew();
  }, [points, states]);

  useEffect(() => {
    if (!props.pictures || !plot.current) return;
    const colour = (point: number) => `rgb(${latest.current.colours.slice(3 * point, 3 * point + 3).join(" ")})`;
    const made = new Pictures(layer.current!, plot.current, (point) => latest.current.thumbnail(point), colour);
    pictures.current = made;
    made.renew();
    return () => {
      made.dispose();
      pictures.current = null;
    };
  }, [points, props.pictures]);
  useEffect(() => pictures.current?.renew(), [colours]);

  useImperativeHandle(props.ref, () => ({
    zoomBy: (factor) => plot.current?.zoomBy(factor, isStill()),
    fit: (which) => plot.current?.fit(isStill(), which),
    reveal: (point) => plot.current?.reveal(point, isStill()),
    inView: () => plot.current?.inView() ?? [],
  }));

  const onKeyDown = (event: KeyboardEvent) => {
    const now = plot.current;
    if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction && event.shiftKey) now.pan(-direction[0] * 60, direction[1] * 60);
    else if (direction) {
      const [next] = focused < 0 ? now.inView() : [stepFrom(points, focused, direction, now.isShown)];
      if (next !== undefined && next >= 0) {
        props.onFocus(next);
        now.reveal(next, isStill());
      }
    } else if (event.key === "+" || event.key === "=") now.zoomBy(1.6, isStill());
    else if (event.key === "-") now.zoomBy(1 / 1.6, isStill());
    else if (event.key === "0") now.fit(isStill());
    else if ((event.key === "Enter" || event.key === " ") && focused >= 0) props.onSelect([focused], true);
    else if (event.key === "Escape") props.onSelect([], false);
    else return;
    event.preventDefault();
  };

  const pointed = shape ? -1 : hovered >= 0 ? hovered : focused;
  return (
    <div
      ref={stage}
      className={`map-stage map-tool-${props.tool}${hovered >= 0 ? " map-pointing" : ""}`}
      role="application"
      aria-roledescription="map of pictures"
      aria-label={`${points.ids.length.toLocaleString("en")} pictures, alike beside alike. ${KEYS}`}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <canvas ref={canvas} />
      <div ref={layer} className="map-pictures" aria-hidden="true" />
      {shape && (
        <svg className="map-shape" aria-hidden="true">
          <polygon points={shape.map((place) => place.join()).join(" ")} />
        </svg>
      )}
      {pointed >= 0 && plot.current && (
        <HoverCard
          src={props.thumbnail(pointed)}
          name={points.ids[pointed]!}
          about={props.about(pointed)}
          place={plot.current.screenOf(pointed)}
          room={plot.current.size}
        />
      )}
      <p className="visually-hidden" aria-live="polite">
        {focused >= 0 ? [points.ids[focused], props.about(focused)].filter(Boolean).join(", ") : ""}
      </p>
      {slow && <p className="map-note">This browser has no WebGL 2: the map is drawn slower.</p>}
    </div>
  );
}
