import { useEffect, useRef, useState } from "react";
import { Button } from "../../ui/button";

export interface ClassesProps {
  classes: readonly string[];
  disabled: boolean;
  /** A new class is being typed. */
  typing: boolean;
  onTyping: (typing: boolean) => void;
  onSay: (label: string) => void;
  onAdd: (label: string) => void;
}

/** The classes as buttons with their keys, and a field for a new one. */
export function Classes({ classes, disabled, typing, onTyping, onSay, onAdd }: ClassesProps) {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (typing) field.current?.focus();
  }, [typing]);
  const close = () => {
    setText("");
    onTyping(false);
  };
  return (
    <div className="classes">
      <ul aria-label="Classes">
        {classes.map((label, at) => (
          <li key={label}>
            <button type="button" className="class-button" disabled={disabled} onClick={() => onSay(label)}>
              {at < 9 ? <kbd>{at + 1}</kbd> : <span className="class-no-key" />}
              <span>{label}</span>
            </button>
          </li>
        ))}
      </ul>
      {typing ? (
        <form
          className="row class-new"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== "") onAdd(text.trim());
            close();
          }}
        >
          <div className="field">
            <input
              ref={field}
              type="text"
              aria-label="New class"
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape") close();
              }}
            />
          </div>
          <Button type="submit" look="primary">
            Add
          </Button>
        </form>
      ) : (
        <button type="button" className="class-button" disabled={disabled} onClick={() => onTyping(true)}>
          <kbd>0</kbd>
          <span>a new class…</span>
        </button>
      )}
    </div>
  );
}
