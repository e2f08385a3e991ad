import { type FormEvent, useState } from "react";
import { connection } from "../api/connection";
import { Problem, sentence } from "../api/problem";
import { openSession } from "../api/session";
import { useConnection } from "../state/load";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/fields";

/** Asks for a key when the service answered 401; what was refused is then sent again. */
export function SignIn() {
  const { keyNeeded } = useConnection();
  return keyNeeded ? <SignInDialog /> : null;
}

function SignInDialog() {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsking(true);
    try {
      await openSession(key.trim());
      connection.keyAccepted();
    } catch (refused) {
      setError(refused instanceof Problem && refused.status < 500 ? `The key was not accepted: ${sentence(refused)}` : sentence(refused));
      setAsking(false);
    }
  };
  return (
    <Dialog title="Sign in" onClose={() => connection.keyRefused()}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <p>This service needs a key. Whoever runs it makes one with <code>lookalike keys</code>.</p>
        <TextField label="API key" type="password" autoComplete="current-password" required value={key} onChange={setKey} error={error} />
        <div className="form-actions">
          <Button onClick={() => connection.keyRefused()}>Cancel</Button>
          <Button look="primary" type="submit" icon="key" disabled={asking || key.trim() === ""}>
            Sign in
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
