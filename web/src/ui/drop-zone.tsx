import { type DragEvent, type ReactNode, useRef, useState } from "react";
import type { Scope } from "../api/session";
import { useForbidden } from "../state/session";
import { Button } from "./button";
import { Icon, type IconName } from "./icons";

export interface DropZoneProps {
  title: string;
  hint?: ReactNode;
  accept: string;
  multiple?: boolean;
  icon?: IconName;
  button: string;
  onFiles: (files: File[]) => void;
  /** Everything dropped, for those who read folders from it; without it only files are taken. */
  onDropItems?: (items: DataTransfer) => void;
  /** More ways to give files, beside the button. */
  children?: ReactNode;
  disabled?: boolean;
  /** What is done with the files needs this scope. */
  needs?: Scope;
}

/** A place to drop files on, with a button for those who rather choose. */
export function DropZone({ title, hint, accept, multiple, icon = "upload", button, onFiles, onDropItems, children, disabled = false, needs }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const closed = useForbidden(needs) !== null || disabled;
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    if (closed) return;
    if (onDropItems) onDropItems(event.dataTransfer);
    else onFiles(Array.from(event.dataTransfer.files).slice(0, multiple ? undefined : 1));
  };
  return (
    <div
      className={over ? "drop-zone drop-zone-over" : "drop-zone"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Icon name={icon} size={28} />
      <p className="drop-zone-title">{title}</p>
      {hint && <p className="hint">{hint}</p>}
      <div className="drop-zone-actions">
        <Button look="primary" needs={needs} disabled={disabled} onClick={() => input.current?.click()}>
          {button}
        </Button>
        {children}
      </div>
      <input
        ref={input}
        type="file"
        hidden
        disabled={closed}
        accept={accept}
        multiple={multiple}
        aria-label={button}
        onChange={(event) => {
          const files = Array.from(event.target.files ?? []);
          event.target.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </div>
  );
}
