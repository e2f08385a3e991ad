/** A page's empty, loading and error states. */

import type { ReactNode } from "react";
import { Problem, sentence, Unreachable } from "../api/problem";
import { Button } from "./button";
import { Icon, type IconName } from "./icons";

export function EmptyState({ title, children, icon = "image", action }: { title: string; children?: ReactNode; icon?: IconName; action?: ReactNode }) {
  return (
    <div className="state">
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action && <div className="state-actions">{action}</div>}
    </div>
  );
}

export function ErrorState({ error, retry, children }: { error: unknown; retry?: () => void; children?: ReactNode }) {
  const title =
    error instanceof Unreachable ? "No connection" : error instanceof Problem && error.status < 500 ? "That did not work" : "Something went wrong";
  return (
    <div className="state state-error" role="alert">
      <Icon name="warning" size={40} />
      <h2>{title}</h2>
      <p>{sentence(error)}</p>
      <div className="state-actions">
        {retry && (
          <Button icon="refresh" onClick={retry}>
            Try again
          </Button>
        )}
        {children}
      </div>
    </div>
  );
}

export function Loading({ label = "Loading" }: { label?: string }) {
  return (
    <div className="state" role="status">
      <span className="spinner" aria-hidden="true" />
      <p>{label}…</p>
    </div>
  );
}

/** Grey tiles where pictures will be. */
export function GridSkeleton({ tiles = 12 }: { tiles?: number }) {
  return (
    <div className="grid" aria-hidden="true">
      {Array.from({ length: tiles }, (_, at) => (
        <div key={at} className="skeleton-tile" />
      ))}
    </div>
  );
}
