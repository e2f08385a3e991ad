import type { Place, Size } from "./view";

const WIDE = 168;
const HIGH = 204;

/** The picture of the point that is pointed at or focused, beside it and within the map. */
export function HoverCard(props: { src: string; name: string; about: string | null; place: Place; room: Size }) {
  const [x, y] = props.place;
  const left = x + 18 + WIDE > props.room.width ? x - 18 - WIDE : x + 18;
  const top = Math.min(Math.max(y - HIGH / 2, 8), Math.max(8, props.room.height - HIGH - 8));
  return (
    <>
      <span className="map-pointer" style={{ transform: `translate(${x}px, ${y}px)` }} />
      <div className="map-card" style={{ transform: `translate(${Math.max(8, left)}px, ${top}px)` }}>
        <img src={props.src} alt="" />
        <strong>{props.name}</strong>
        {props.about && <span>{props.about}</span>}
      </div>
    </>
  );
}
