export interface ConfusionMatrixProps {
  labels: readonly string[];
  /** True class, predicted class, how many. */
  confusions: readonly (readonly [number, number, number])[];
}

const CELL = 34;
const SIDE = 132;
/** Room for the last label across, which leans over the edge. */
const LEAN = 60;
/** Classes up to which numbers are written into the cells. */
const MOST_WRITTEN = 16;

/** True classes down, predicted ones across; the darker, the larger the share of the row. */
export function ConfusionMatrix({ labels, confusions }: ConfusionMatrixProps) {
  const n = labels.length;
  const cell = n > MOST_WRITTEN ? Math.max(8, Math.floor((CELL * MOST_WRITTEN) / n)) : CELL;
  const rows = Array.from({ length: n }, () => 0);
  for (const [truth, , count] of confusions) rows[truth]! += count;
  const edge = SIDE + n * cell;
  const worst = confusions.filter(([truth, said]) => truth !== said).sort((a, b) => b[2] - a[2]);
  const first = worst[0];
  const told = first ? `Most often ${labels[first[0]]} is taken for ${labels[first[1]]}: ${first[2]} times.` : "Nothing is confused.";
  return (
    <figure className="confusion">
      <div className="confusion-scroll" tabIndex={0} role="group" aria-label="Confusion matrix, scrolls sideways">
        <svg width={edge + LEAN} height={edge + 4} role="img" aria-label={`Confusion matrix of ${n} classes. ${told}`}>
          {cell >= 12 &&
            labels.map((label, at) => (
              <g key={label} className="confusion-label">
                <text x={SIDE - 8} y={SIDE + (at + 0.5) * cell} textAnchor="end" dominantBaseline="central">
                  {short(label)}
                  <title>{label}</title>
                </text>
                <text transform={`translate(${SIDE + (at + 0.5) * cell} ${SIDE - 8}) rotate(-60)`} dominantBaseline="central">
                  {short(label)}
                  <title>{label}</title>
                </text>
              </g>
            ))}
          <rect className="confusion-back" x={SIDE} y={SIDE} width={n * cell} height={n * cell} />
          {confusions.map(([truth, said, count]) => {
            const share = count / Math.max(rows[truth]!, 1);
            return (
              <g key={`${truth} ${said}`}>
                <rect
                  className={truth === said ? "confusion-right" : "confusion-wrong"}
                  x={SIDE + said * cell + 0.5}
                  y={SIDE + truth * cell + 0.5}
                  width={cell - 1}
                  height={cell - 1}
                  fillOpacity={0.12 + 0.88 * share}
                >
                  <title>{`${count} of ${labels[truth]} ${truth === said ? "recognised" : `taken for ${labels[said]}`}`}</title>
                </rect>
                {n <= MOST_WRITTEN && (
                  <text
                    className={share > 0.5 ? "confusion-number confusion-strong" : "confusion-number"}
                    x={SIDE + (said + 0.5) * cell}
                    y={SIDE + (truth + 0.5) * cell}
                    textAnchor="middle"
                    dominantBaseline="central"
                  >
                    {count}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      </div>
      <figcaption className="hint">True classes down, predicted ones across. {told}</figcaption>
    </figure>
  );
}

const short = (label: string) => (label.length > 18 ? `${label.slice(0, 17)}…` : label);
