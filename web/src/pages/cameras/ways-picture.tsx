import type { Transition } from "../../api/cameras";

const SIZE = 420;
const RADIUS = 140;
const DISC = 7;

/** Cameras in a circle with an arrow for each way, the wider the more often it was gone. */
export function WaysPicture({ cameras, ways }: { cameras: readonly string[]; ways: readonly Transition[] }) {
  const middle = SIZE / 2;
  const place = (camera: string): [number, number] => {
    const angle = (2 * Math.PI * cameras.indexOf(camera)) / cameras.length - Math.PI / 2;
    return [middle + RADIUS * Math.cos(angle), middle + RADIUS * Math.sin(angle)];
  };
  const most = Math.max(...ways.map((way) => way.times));
  const between = ways.filter((way) => way.origin !== way.target);
  const told = between[0] ? `Most often ${between[0].origin} to ${between[0].target}, ${between[0].times} times.` : "Nobody went from one camera to another.";
  return (
    <svg className="ways" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={`Ways between ${cameras.length} cameras. ${told}`}>
      <defs>
        <marker id="ways-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
          <path d="M0 0 8 4 0 8Z" className="ways-head" />
        </marker>
      </defs>
      {between.map((way) => (
        <path
          key={`${way.origin}\n${way.target}`}
          className="way"
          d={curve(place(way.origin), place(way.target))}
          strokeWidth={1 + (4 * way.times) / most}
          markerEnd="url(#ways-head)"
        >
          <title>{`${way.origin} to ${way.target}: ${way.times} times`}</title>
        </path>
      ))}
      {cameras.map((camera, at) => {
        const [x, y] = place(camera);
        const right = x > middle + 1;
        const aside = Math.abs(x - middle) > 1;
        return (
          <g key={camera}>
            <circle cx={x} cy={y} r={DISC} className={`ways-camera stay-fill-${at % 8}`} />
            <text
              x={aside ? x + (right ? 14 : -14) : x}
              y={aside ? y : y + (y < middle ? -16 : 22)}
              textAnchor={aside ? (right ? "start" : "end") : "middle"}
              dominantBaseline={aside ? "central" : "auto"}
            >
              {camera.length > 16 ? `${camera.slice(0, 15)}…` : camera}
              <title>{camera}</title>
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** A bow from one disc to another, so that there and back are two lines. */
function curve([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): string {
  const [dx, dy] = [bx - ax, by - ay];
  const far = Math.hypot(dx, dy);
  const [cx, cy] = [(ax + bx) / 2 - dy * 0.18, (ay + by) / 2 + dx * 0.18];
  const gap = DISC + 3;
  const [sx, sy] = [ax + ((cx - ax) / (far * 0.55)) * gap, ay + ((cy - ay) / (far * 0.55)) * gap];
  const [ex, ey] = [bx + ((cx - bx) / (far * 0.55)) * gap, by + ((cy - by) / (far * 0.55)) * gap];
  return `M${sx.toFixed(1)} ${sy.toFixed(1)} Q${cx.toFixed(1)} ${cy.toFixed(1)} ${ex.toFixed(1)} ${ey.toFixed(1)}`;
}
