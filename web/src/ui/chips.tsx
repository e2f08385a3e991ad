import type { ReactNode } from "react";
import { Icon } from "./icons";

export interface ChipEntry {
  key: string;
  label: ReactNode;
  /** Plain words of the label, for the remove button's name. */
  name: string;
  onRemove?: () => void;
}

/** What is set, each with a button that takes it away. */
export function Chips({ entries, label }: { entries: ChipEntry[]; label: string }) {
  if (entries.length === 0) return null;
  return (
    <ul className="chips" aria-label={label}>
      {entries.map((entry) => (
        <li key={entry.key} className="chip">
          <span className="chip-label">{entry.label}</span>
          {entry.onRemove && (
            <button type="button" onClick={entry.onRemove} aria-label={`Remove ${entry.name}`} title={`Remove ${entry.name}`}>
              <Icon name="close" size={14} />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
