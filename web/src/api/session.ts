/** The page's session: a key exchanged for a cookie that scripts cannot read. */

import { del, get, type Options } from "./client";
import { connection } from "./connection";
import { problemOf, Unreachable } from "./problem";

/** Each allows what those before it allow. */
export type Scope = "read" | "write" | "admin";

export interface Session {
  /** Of the key; `local` where none is needed. */
  name: string;
  scope: Scope;
  /** Whether the service asks for keys at all. */
  key_needed: boolean;
}

export const readSession = (options?: Options): Promise<Session> => get<Session>("/v1/session", options);

/** The browser forgets the key. */
export const closeSession = (): Promise<void> => del<void>("/v1/session");

/** Throws `Problem` for a key that is not accepted. Never asks for a key itself, unlike `send`. */
export async function openSession(key: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch("/v1/session", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key }),
    });
  } catch {
    connection.lose();
    throw new Unreachable();
  }
  if (!response.ok) throw await problemOf(response);
}
