import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { between, type Crop, HANDLES, type Handle, isTooSmall, keyed, moved, type Point, resized } from "./crop";
import css from "./search.module.css";

type Drag = { kind: "draw"; from: Point } | { kind: "move"; from: Point; crop: Crop } | { kind: "size"; handle: Handle; from: Point; crop: Crop };

export interface CropEditorProps {
  src: string;
  name: string;
  crop: Crop | null;
  onChange: (crop: Crop | null) => void;
}

const percent = (value: number) => `${(value * 100).toFixed(3)}%`;

function after(drag: Drag, to: Point): Crop {
  const by = { x: to.x - drag.from.x, y: to.y - drag.from.y };
  if (drag.kind === "draw") return between(drag.from, to);
  return drag.kind === "move" ? moved(drag.crop, by) : resized(drag.crop, drag.handle, by);
}

/** A picture on which a crop is drawn, moved and resized: by mouse, by touch once there is one, and by keys. */
export function CropEditor({ src, name, crop, onChange }: CropEditorProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [draft, setDraft] = useState<Crop | null>(null);
  const [broken, setBroken] = useState(false);
  const shown = draft ?? crop;

  const at = (event: PointerEvent): Point => {
    const box = frame.current?.getBoundingClientRect();
    return box ? { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height } : { x: 0, y: 0 };
  };
  const start = (event: PointerEvent, begin: (from: Point) => Drag) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.preventDefault();
    frame.current?.setPointerCapture(event.pointerId);
    setDrag(begin(at(event)));
  };
  const end = () => {
    if (draft) onChange(isTooSmall(draft) ? crop : draft);
    setDrag(null);
    setDraft(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!crop) return;
    if (event.key === "Delete" || event.key === "Backspace" || event.key === "Escape") {
      event.preventDefault();
      onChange(null);
      return;
    }
    const next = keyed(crop, event.key, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    onChange(next);
  };

  if (broken) return <p className={css["unseen"]}>This browser cannot show {name}, but it can be searched with.</p>;
  return (
    <div
      ref={frame}
      className={shown ? `${css["frame"]} ${css["frameCropped"]}` : css["frame"]}
      onPointerDown={(event) => {
        if (event.pointerType !== "touch" || crop) start(event, (from) => ({ kind: "draw", from }));
      }}
      onPointerMove={(event) => drag && setDraft(after(drag, at(event)))}
      onPointerUp={end}
      onPointerCancel={() => (setDrag(null), setDraft(null))}
    >
      <img src={src} alt={`Query: ${name}`} draggable={false} onError={() => setBroken(true)} />
      {shown && (
        <div
          className={css["crop"]}
          role="group"
          tabIndex={0}
          aria-label="Crop. Arrow keys move it, Shift and arrow keys resize it, Delete removes it"
          style={{ left: percent(shown.x), top: percent(shown.y), width: percent(shown.width), height: percent(shown.height) }}
          onPointerDown={(event) => start(event, (from) => ({ kind: "move", from, crop: shown }))}
          onKeyDown={onKeyDown}
        >
          {HANDLES.map((handle) => (
            <span
              key={handle}
              data-handle={handle}
              className={css["handle"]}
              onPointerDown={(event) => start(event, (from) => ({ kind: "size", handle, from, crop: shown }))}
            />
          ))}
        </div>
      )}
    </div>
  );
}
