import { useState } from "react";
import { cropUrl, type Identity, splitIdentity } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { toast, toastError } from "../../ui/toasts";
import { clock } from "./lanes";

/** Choose the stays that are somebody else. */
export function SplitDialog({ identity, onClose, onDone }: { identity: Identity; onClose: () => void; onDone: () => void }) {
  const { name } = useCollection();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (tracklet: string) => {
    const next = new Set(chosen);
    if (!next.delete(tracklet)) next.add(tracklet);
    setChosen(next);
  };
  const save = async () => {
    try {
      const { identity: made } = await splitIdentity(name, identity.id, [...chosen]);
      toast(`${chosen.size} stays are ${made} now`);
      onDone();
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <Dialog
      wide
      title={`Split ${identity.name ?? identity.id}`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" icon="split" disabled={chosen.size === 0 || chosen.size === identity.visits.length} onClick={() => void save()}>
            Split off {chosen.size}
          </Button>
        </>
      }
    >
      <p>Choose the stays that are somebody else. Together they become a new identity, and stay apart in later runs.</p>
      <ul className="stays">
        {identity.visits.map((visit) => (
          <li key={visit.tracklet}>
            <label className={chosen.has(visit.tracklet) ? "stay-card stay-chosen" : "stay-card"}>
              <img src={cropUrl(name, visit.tracklet)} alt={`${visit.tracklet} at ${visit.camera}`} loading="lazy" />
              <span className="checkbox">
                <input type="checkbox" checked={chosen.has(visit.tracklet)} onChange={() => toggle(visit.tracklet)} />
                {visit.camera}
              </span>
              <span className="count">{clock(visit.start)}</span>
            </label>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
