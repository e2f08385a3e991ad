import { thumbnailUrl } from "../../api/collections";
import type { DuplicateGroup } from "../../api/groups";
import { useCollection } from "../../state/collection";
import { Button } from "../../ui/button";
import { allKept, isKept, toggled, type Turned } from "./choices";

/** Copies of one picture side by side, each with keep or remove. */
export function DuplicateRow({ group, turned, onTurned }: { group: DuplicateGroup; turned: Turned; onTurned: (turned: Turned) => void }) {
  const { name } = useCollection();
  return (
    <li className="panel copies">
      <div className="toolbar">
        <h3>{group.kind === "exact" ? "Same bytes" : `Alike by ${(group.similarity * 100).toFixed(1)}%`}</h3>
        <span className="muted">{group.reason}</span>
        <div className="toolbar-end">
          <Button small look="quiet" onClick={() => onTurned(allKept(group, turned))}>
            Keep all
          </Button>
        </div>
      </div>
      <ul className="copies-row">
        {group.ids.map((id, at) => {
          const kept = isKept(group, id, turned);
          return (
            <li key={id} className={kept ? "copy" : "copy copy-gone"}>
              <img src={thumbnailUrl(name, id)} alt={id} loading="lazy" decoding="async" />
              <span className="tile-note" title={id}>
                {id}
              </span>
              <label className="checkbox">
                <input type="checkbox" checked={kept} onChange={() => onTurned(toggled(turned, id))} aria-label={`Keep ${id}`} />
                <span>{kept ? "Keep" : "Remove"}</span>
                {at === 0 && <span className="copy-best">best</span>}
              </label>
            </li>
          );
        })}
      </ul>
    </li>
  );
}
