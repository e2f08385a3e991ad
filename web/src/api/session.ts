/** The page's session: a key exchanged for a cookie that scripts cannot read. */

import { connection } from "./connection";
import { problemOf, Unreachable } from "./problem";

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
