import { useState } from "react";
import { cropUrl, type Identity, mergeIdentities } from "../../api/cameras";
import { sentence } from "../../api/problem";
import { useCollection } from "../../state/collection";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { toast } from "../../ui/toasts";
import { clock } from "./lanes";

const SHOWN = 6;

/** Two identities side by side, to look at before they become one. */
export function MergeDialog({ first, second, onClose, onDone }: { first: Identity; second: Identity; onClose: () => void; onDone: () => void }) {
  const { name } = useCollection();
  const [error, setError] = useState<string | null>(null);
  const merge = async () => {
    try {
      const { identity } = await mergeIdentities(name, first.id, second.id);
      toast(`They are one now: ${identity}`);
      onDone();
    } catch (refused) {
      setError(sentence(refused));
    }
  };
  return (
    <Dialog
      wide
      title="Are these one?"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" icon="merge" onClick={() => void merge()}>
            Merge into {first.name ?? first.id}
          </Button>
        </>
      }
    >
      <div className="merge">
        {[first, second].map((each) => (
          <section key={each.id} aria-label={each.name ?? each.id}>
            <h3>{each.name ?? each.id}</h3>
            <p className="count">
              {clock(each.first)} to {clock(each.last)}
            </p>
            <ul className="stays">
              {each.visits.slice(0, SHOWN).map((visit) => (
                <li key={visit.tracklet} className="stay-card">
                  <img src={cropUrl(name, visit.tracklet)} alt={`${visit.tracklet} at ${visit.camera}`} />
                  <span>{visit.camera}</span>
                  <span className="count">{clock(visit.start)}</span>
                </li>
              ))}
            </ul>
            {each.visits.length > SHOWN && <p className="hint">and {each.visits.length - SHOWN} more stays</p>}
          </section>
        ))}
      </div>
      {error && (
        <p className="notice notice-error" role="alert">
          {error}
        </p>
      )}
      <p className="hint">It holds for later runs too. A wrong merge is taken apart with split.</p>
    </Dialog>
  );
}
