import type { Visit } from "../../api/cameras";
import { along, duration, type Span } from "./timeline";

export interface LanesProps {
  visits: readonly Visit[];
  cameras: readonly string[];
  span: Span;
  onOpen: (visit: Visit) => void;
}

/** One lane a camera; each stay is a button that plays it. */
export function Lanes({ visits, cameras, span, onOpen }: LanesProps) {
  return (
    <ul className="lanes">
      {cameras.map((camera) => (
        <li key={camera} className="lane">
          <span className="lane-name" title={camera}>
            {camera}
          </span>
          <div className="lane-time">
            {visits
              .filter((visit) => visit.camera === camera)
              .map((visit) => (
                <Stay key={visit.tracklet} visit={visit} colour={cameras.indexOf(camera)} span={span} onOpen={onOpen} />
              ))}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Stay({ visit, colour, span, onOpen }: { visit: Visit; colour: number; span: Span; onOpen: (visit: Visit) => void }) {
  const [from, to] = [Date.parse(visit.start), Date.parse(visit.end)];
  if (to < span.from || from > span.to) return null;
  const left = Math.max(0, along(span, from));
  const width = Math.min(1, along(span, to)) - left;
  const told = `${visit.camera}, ${clock(visit.start)}, ${duration((to - from) / 1000)}`;
  return (
    <button
      type="button"
      className={`stay stay-${colour % 8}`}
      style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
      title={told}
      aria-label={`Play ${visit.tracklet}: ${told}`}
      onClick={() => onOpen(visit)}
    />
  );
}

/** A time of day, with its date, in the zone of the one who looks. */
export function clock(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}
