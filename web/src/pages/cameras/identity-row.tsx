import { useState } from "react";
import { cropUrl, type Identity, removeIdentity, type Visit } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { toast, toastError } from "../../ui/toasts";
import { Lanes } from "./lanes";
import { RenameDialog } from "./rename-dialog";
import { SplitDialog } from "./split-dialog";
import type { Span } from "./timeline";

export interface IdentityRowProps {
  identity: Identity;
  cameras: readonly string[];
  span: Span;
  picked: boolean;
  onPick: () => void;
  onOpen: (visit: Visit) => void;
  onChanged: () => void;
}

type Doing = "rename" | "split" | "remove" | null;

/** Who it is, what can be corrected, and when which camera saw it. */
export function IdentityRow({ identity, cameras, span, picked, onPick, onOpen, onChanged }: IdentityRowProps) {
  const { name } = useCollection();
  const [doing, setDoing] = useState<Doing>(null);
  const done = () => {
    setDoing(null);
    onChanged();
  };
  const called = identity.name ?? identity.id;
  const remove = async () => {
    try {
      await removeIdentity(name, identity.id);
      toast(`${called} is in no answer any more`);
      done();
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <li className={picked ? "identity identity-picked" : "identity"}>
      <div className="identity-card">
        <input type="checkbox" checked={picked} onChange={onPick} aria-label={`Pick ${called} to merge`} />
        <img src={cropUrl(name, identity.best)} alt={`${called} at its best`} loading="lazy" decoding="async" />
        <div className="identity-words">
          <strong title={called}>{called}</strong>
          <span className="count">
            {identity.visits.length} {identity.visits.length === 1 ? "stay" : "stays"}, {identity.cameras.length}{" "}
            {identity.cameras.length === 1 ? "camera" : "cameras"}
          </span>
          {identity.recognised && <span className="hint">looks like {identity.recognised.name}</span>}
          <div className="identity-acts">
            <IconButton small icon="edit" needs="write" label={`Rename ${called}`} onClick={() => setDoing("rename")} />
            <IconButton small icon="split" needs="write" label={`Split ${called}`} disabled={identity.visits.length < 2} onClick={() => setDoing("split")} />
            <IconButton small icon="trash" needs="write" label={`Remove ${called}`} onClick={() => setDoing("remove")} />
          </div>
        </div>
      </div>
      <Lanes visits={identity.visits} cameras={cameras.filter((camera) => identity.cameras.includes(camera))} span={span} onOpen={onOpen} />
      {doing === "rename" && <RenameDialog identity={identity} onClose={() => setDoing(null)} onDone={done} />}
      {doing === "split" && <SplitDialog identity={identity} onClose={() => setDoing(null)} onDone={done} />}
      {doing === "remove" && (
        <Dialog
          title={`Remove ${called}?`}
          onClose={() => setDoing(null)}
          footer={
            <>
              <Button onClick={() => setDoing(null)}>Cancel</Button>
              <Button look="danger" icon="trash" onClick={() => void remove()}>
                Remove
              </Button>
            </>
          }
        >
          <p>
            Its {identity.visits.length} stays belong to nobody from now on, in later runs too: for shadows, doors and people who asked for it. There is no undo. The
            recordings are kept as long as their camera keeps them.
          </p>
        </Dialog>
      )}
    </li>
  );
}
