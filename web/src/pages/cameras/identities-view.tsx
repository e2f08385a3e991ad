import { useMemo, useState } from "react";
import { type Identity, type IdentityFilter, listIdentities, type Visit } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { useLoad } from "../../state/load";
import { Button } from "../../ui/button";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { Axis } from "./axis";
import { IdentityRow } from "./identity-row";
import { MergeDialog } from "./merge-dialog";
import { Sighting } from "./sighting";
import { type Span, spanOf } from "./timeline";

const PAGE = 40;

/** Everybody who was seen, each with a lane a camera on one time axis. */
export function IdentitiesView({ cameras, filter }: { cameras: readonly string[]; filter: IdentityFilter }) {
  const { name, info } = useCollection();
  const found = useLoad((signal) => listIdentities(name, filter, { signal }), [name, info.version, ...Object.values(filter)]);
  const identities = found.data?.identities;
  const whole = useMemo(() => spanOf((identities ?? []).map((each) => ({ from: Date.parse(each.first), to: Date.parse(each.last) }))), [identities]);
  const [zoom, setZoom] = useState<{ of: Span; span: Span } | null>(null);
  const span = zoom?.of === whole ? zoom.span : whole;
  const [pages, setPages] = useState(1);
  const [playing, setPlaying] = useState<{ visit: Visit; of: Identity } | null>(null);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [merging, setMerging] = useState(false);
  if (!identities) return found.error ? <ErrorState error={found.error} retry={found.reload} /> : <Loading label="Reading the identities" />;

  const chosen = picked.map((id) => identities.find((each) => each.id === id)).filter((each) => each !== undefined);
  const pick = (id: string) => setPicked((now) => (now.includes(id) ? now.filter((each) => each !== id) : [...now.slice(-1), id]));
  const shown = filter.camera === null ? cameras : [filter.camera];
  const [first, second] = chosen;
  return (
    <>
      <div className="toolbar">
        <h2>
          {identities.length.toLocaleString("en")} {identities.length === 1 ? "identity" : "identities"}
        </h2>
        <span className="count">times in {Intl.DateTimeFormat().resolvedOptions().timeZone}</span>
        <div className="toolbar-end row">
          <span className="hint">{chosen.length === 1 ? "Pick one more to merge" : ""}</span>
          <Button small icon="merge" needs="write" disabled={chosen.length !== 2} onClick={() => setMerging(true)}>
            Merge two
          </Button>
        </div>
      </div>
      {identities.length === 0 ? (
        <EmptyState icon="cameras" title="Nobody was seen">
          No stay fits the filters: choose another camera or a longer time.
        </EmptyState>
      ) : (
        <section className="panel timelines" aria-label="Timelines">
          <Axis span={span} whole={whole} onSpan={(next) => setZoom({ of: whole, span: next })} />
          <ul>
            {identities.slice(0, pages * PAGE).map((each) => (
              <IdentityRow
                key={each.id}
                identity={each}
                cameras={shown}
                span={span}
                picked={picked.includes(each.id)}
                onPick={() => pick(each.id)}
                onOpen={(visit) => setPlaying({ visit, of: each })}
                onChanged={found.reload}
              />
            ))}
          </ul>
        </section>
      )}
      {identities.length > pages * PAGE && (
        <Button className="more" onClick={() => setPages(pages + 1)}>
          Show more
        </Button>
      )}
      {playing && <Sighting visit={playing.visit} visits={playing.of.visits} who={playing.of.name ?? playing.of.id} onClose={() => setPlaying(null)} />}
      {merging && first && second && (
        <MergeDialog
          first={first}
          second={second}
          onClose={() => setMerging(false)}
          onDone={() => {
            setMerging(false);
            setPicked([]);
            found.reload();
          }}
        />
      )}
    </>
  );
}
