import { closeSession } from "../api/session";
import { useSession } from "../state/session";
import { forgetUploads } from "../state/uploads";
import { IconButton } from "../ui/button";
import { toastError } from "../ui/toasts";

/** Lets the browser forget its key; nothing where the service asks for none. */
export function SignOut() {
  const session = useSession();
  if (!session?.key_needed) return null;
  const { name, scope } = session;
  const leave = async () => {
    try {
      await closeSession();
    } catch (error) {
      toastError(error);
      return;
    }
    // What was liked and searched with goes with the key; the page starts anew.
    sessionStorage.clear();
    await forgetUploads().catch((refused: unknown) => console.warn("this browser keeps no photos", refused));
    window.location.assign("/");
  };
  return <IconButton icon="signOut" label={`Sign out (${name}, ${scope})`} onClick={() => void leave()} />;
}
