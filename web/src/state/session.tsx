/** Who uses the page, and what the key allows: what it does not allow is shown, but cannot be pressed. */

import { createContext, type ReactNode, use } from "react";
import { readSession, type Scope, type Session } from "../api/session";
import { type Loaded, useLoad } from "./load";

const SCOPES: readonly Scope[] = ["read", "write", "admin"];

const Context = createContext<Loaded<Session> | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  return <Context value={useLoad((signal) => readSession({ signal }), [])}>{children}</Context>;
}

/** Null until it is known. */
export function useSession(): Session | null {
  return use(Context)?.data ?? null;
}

/**
 * Why something that needs a scope is not possible; null: it is. Until the service has said what the key allows it is not;
 * should it never say so, the service itself refuses.
 */
export function useForbidden(needs: Scope | undefined): string | null {
  const asked = use(Context);
  if (needs === undefined || asked === null) return null;
  if (asked.data === null) return asked.error === null ? "Asking what your key allows" : null;
  return forbidden(asked.data, needs);
}

export function forbidden(session: Pick<Session, "name" | "scope">, needs: Scope): string | null {
  if (SCOPES.indexOf(session.scope) >= SCOPES.indexOf(needs)) return null;
  return `The key “${session.name}” has scope ${session.scope}, and this needs ${needs}: ask whoever runs the service for one.`;
}
