import { useMemo, useState } from "react";
import { cropUrl, type Following, type Visit } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { Icon } from "../../ui/icons";
import { Axis } from "./axis";
import { Lanes } from "./lanes";
import { Sighting } from "./sighting";
import { type Span, spanOf } from "./timeline";

/** Whom a photo matches, where they were seen, and who came near: to be looked at by somebody. */
export function FollowAnswer({ answer, cameras }: { answer: Following; cameras: readonly string[] }) {
  const { name } = useCollection();
  const whole = useMemo(() => spanOf(answer.visits.map((visit) => ({ from: Date.parse(visit.start), to: Date.parse(visit.end) }))), [answer]);
  const [zoom, setZoom] = useState<{ of: Span; span: Span } | null>(null);
  const [playing, setPlaying] = useState<Visit | null>(null);
  const span = zoom?.of === whole ? zoom.span : whole;
  const who = answer.name ?? answer.identity ?? "unknown";
  const seen = cameras.filter((camera) => answer.visits.some((visit) => visit.camera === camera));
  return (
    <section className="stack" aria-label="Answer">
      <div className="panel follow-verdict">
        <Icon name={answer.identity === null ? "help" : "user"} size={24} />
        <div>
          <h3>{answer.identity === null ? "Unknown" : `Looks like ${who}`}</h3>
          <p className="muted">
            {answer.identity === null
              ? "Nobody who was seen is alike enough. Those nearest are below."
              : `${answer.visits.length} ${answer.visits.length === 1 ? "stay" : "stays"} at ${seen.length} ${seen.length === 1 ? "camera" : "cameras"}.`}
            {answer.line &&
              ` A match needs a similarity of ${answer.line.cosine.toFixed(2)}: about ${percent(answer.line.false_match_rate)} of comparisons with somebody else reach it, and ${percent(answer.line.miss_rate)} of those with the same one do not.`}
          </p>
        </div>
      </div>
      {answer.visits.length > 0 && (
        <div className="panel timelines">
          <Axis span={span} whole={whole} onSpan={(next) => setZoom({ of: whole, span: next })} />
          <Lanes visits={answer.visits} cameras={seen} span={span} onOpen={setPlaying} />
        </div>
      )}
      {answer.candidates.length > 0 && (
        <>
          <h3>Most alike</h3>
          <ul className="stays">
            {answer.candidates.map((each) => (
              <li key={each.identity} className={each.matched ? "stay-card stay-chosen" : "stay-card"}>
                <img src={cropUrl(name, each.identity)} alt={each.name ?? each.identity} />
                <strong>{each.name ?? each.identity}</strong>
                <span className="count">
                  {each.similarity.toFixed(2)} {each.matched ? "matches" : "too far"}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {playing && <Sighting visit={playing} visits={answer.visits} who={who} onClose={() => setPlaying(null)} />}
    </section>
  );
}

const percent = (share: number) => `${(share * 100).toLocaleString("en", { maximumSignificantDigits: 2 })}%`;
