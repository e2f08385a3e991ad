import type { Scope } from "../api/session";
import { useForbidden, useSession } from "../state/session";
import { Icon } from "./icons";

/** Says in words why the controls of a page that change something cannot be used; nothing where they can. */
export function ForbiddenNote({ needs }: { needs: Scope }) {
  const known = useSession() !== null;
  const reason = useForbidden(needs);
  if (!known || reason === null) return null;
  return (
    <p className="forbidden-note">
      <Icon name="key" size={16} /> <span>You may look here, but change nothing. {reason}</span>
    </p>
  );
}
