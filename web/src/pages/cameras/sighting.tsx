import { useState } from "react";
import { clipUrl, cropUrl, type Hidden, type Visit } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Segmented } from "../../ui/fields";
import { clock } from "./lanes";
import { duration } from "./timeline";

const HIDDEN = [
  { value: "nobody", label: "Nobody" },
  { value: "others", label: "Others" },
  { value: "rest", label: "Everything else" },
];

/** Plays one stay; where the recording is gone its best picture is shown. */
export function Sighting({ visit, visits, who, onClose }: { visit: Visit; visits: readonly Visit[]; who: string; onClose: () => void }) {
  const { name } = useCollection();
  const [at, setAt] = useState(visits.findIndex((each) => each.tracklet === visit.tracklet));
  const [hide, setHide] = useState<Hidden>("others");
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const shown = visits[at] ?? visit;
  const seconds = (Date.parse(shown.end) - Date.parse(shown.start)) / 1000;
  return (
    <Dialog wide title={`${who} at ${shown.camera}`} onClose={onClose}>
      <div className="stack">
        <div className="sighting">
          {gone.has(shown.tracklet) ? (
            <img src={cropUrl(name, shown.tracklet)} alt={`${shown.tracklet} at its best`} />
          ) : (
            // The recordings have no sound, so there is nothing to caption.
            <video
              key={`${shown.tracklet} ${hide}`}
              src={clipUrl(name, shown.tracklet, hide)}
              poster={cropUrl(name, shown.tracklet)}
              controls
              autoPlay
              muted
              loop
              playsInline
              onError={() => setGone(new Set([...gone, shown.tracklet]))}
            />
          )}
        </div>
        {gone.has(shown.tracklet) && <p className="hint">The recording cannot be played any more: this is its best picture.</p>}
        <div className="row spread">
          <div className="row">
            <IconButton icon="chevronLeft" label="The stay before" disabled={at <= 0} onClick={() => setAt(at - 1)} />
            <span className="numbers">
              {at + 1} of {visits.length}
            </span>
            <IconButton icon="chevronRight" label="The next stay" disabled={at >= visits.length - 1} onClick={() => setAt(at + 1)} />
          </div>
          <Segmented label="Make unrecognisable" value={hide} options={HIDDEN} onChange={(value) => setHide(value as Hidden)} />
        </div>
        <p className="muted numbers">
          {clock(shown.start)}, {duration(seconds)}, {shown.sightings} sightings, {shown.tracklet}
        </p>
      </div>
    </Dialog>
  );
}
