/** Short messages that come and go; `toast("Label set")` from anywhere. */

import { useSyncExternalStore } from "react";
import { sentence } from "../api/problem";
import { IconButton } from "./button";

interface Toast {
  id: number;
  text: string;
  kind: "info" | "error";
  action?: { label: string; run: () => void };
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

const dismiss = (id: number) => set(toasts.filter((each) => each.id !== id));

export function toast(text: string, options: { kind?: Toast["kind"]; action?: Toast["action"] } = {}): void {
  const id = ++last;
  const made: Toast = { id, text, kind: options.kind ?? "info" };
  if (options.action) made.action = options.action;
  set([...toasts.slice(-3), made]);
  setTimeout(() => dismiss(id), made.kind === "error" ? 10_000 : 5_000);
}

/** A toast with what an error says. */
export function toastError(error: unknown): void {
  toast(sentence(error), { kind: "error" });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((each) => (
        <div key={each.id} className={`toast toast-${each.kind}`}>
          <span>{each.text}</span>
          {each.action && (
            <button type="button" className="toast-action" onClick={() => (each.action?.run(), dismiss(each.id))}>
              {each.action.label}
            </button>
          )}
          <IconButton small icon="close" label="Dismiss" onClick={() => dismiss(each.id)} />
        </div>
      ))}
    </div>
  );
}
