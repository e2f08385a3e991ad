import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Button, IconButton } from "../../ui/button";
import { moved, type Span, ticks, zoomed } from "./timeline";

export interface AxisProps {
  span: Span;
  whole: Span;
  onSpan: (span: Span) => void;
}

/** The time axis: drag or scroll on it to move, buttons and Ctrl with the wheel to zoom. */
export function Axis({ span, whole, onSpan }: AxisProps) {
  const scale = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const dragged = useRef<number | null>(null);
  const now = useRef({ span, whole, onSpan });
  now.current = { span, whole, onSpan };

  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    watch.observe(scale.current!);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const target = scale.current!;
    const onWheel = (event: WheelEvent) => {
      const { span: shown, whole: all, onSpan: tell } = now.current;
      if (!event.ctrlKey && Math.abs(event.deltaX) < Math.abs(event.deltaY)) return;
      event.preventDefault();
      const box = target.getBoundingClientRect();
      if (event.ctrlKey) tell(zoomed(shown, Math.exp(-event.deltaY * 0.004), (event.clientX - box.left) / box.width, all));
      else tell(moved(shown, event.deltaX / box.width, all));
    };
    target.addEventListener("wheel", onWheel, { passive: false });
    return () => target.removeEventListener("wheel", onWheel);
  }, []);

  const drag = (event: PointerEvent) => {
    if (dragged.current === null) return;
    onSpan(moved(span, (dragged.current - event.clientX) / width, whole));
    dragged.current = event.clientX;
  };
  return (
    <div className="axis">
      <div className="axis-buttons">
        <IconButton small icon="chevronLeft" label="Earlier" onClick={() => onSpan(moved(span, -0.4, whole))} />
        <IconButton small icon="add" label="Zoom into time" onClick={() => onSpan(zoomed(span, 2, 0.5, whole))} />
        <IconButton small icon="minus" label="Zoom out of time" onClick={() => onSpan(zoomed(span, 0.5, 0.5, whole))} />
        <IconButton small icon="chevronRight" label="Later" onClick={() => onSpan(moved(span, 0.4, whole))} />
        <Button small onClick={() => onSpan(whole)}>
          All
        </Button>
      </div>
      <div
        ref={scale}
        className="axis-scale"
        aria-hidden="true"
        onPointerDown={(event) => {
          dragged.current = event.clientX;
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={drag}
        onPointerUp={() => (dragged.current = null)}
        onPointerCancel={() => (dragged.current = null)}
      >
        {ticks(span, width, -new Date(span.from).getTimezoneOffset()).map((tick) => (
          <span key={tick.time} className="axis-tick" style={{ left: `${tick.at * 100}%` }}>
            {tick.label}
          </span>
        ))}
      </div>
    </div>
  );
}
