import { type FormEvent, useState } from "react";
import { type Identity, renameIdentity } from "../../api/cameras";
import { sentence } from "../../api/problem";
import { useCollection } from "../../state/collection";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/fields";
import { toast } from "../../ui/toasts";

/** Gives an identity a name, or takes it away. */
export function RenameDialog({ identity, onClose, onDone }: { identity: Identity; onClose: () => void; onDone: () => void }) {
  const { name } = useCollection();
  const [text, setText] = useState(identity.name ?? "");
  const [error, setError] = useState<string | null>(null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await renameIdentity(name, identity.id, text.trim() || null);
      toast(text.trim() ? `${identity.id} is called ${text.trim()} now` : `${identity.id} has no name any more`);
      onDone();
    } catch (refused) {
      setError(sentence(refused));
    }
  };
  return (
    <Dialog title={`Rename ${identity.name ?? identity.id}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void save(event)}>
        <TextField
          label="Name"
          autoFocus
          maxLength={200}
          value={text}
          onChange={setText}
          error={error}
          hint="Identities with different names stay apart in later runs. Nothing: the name is taken away."
        />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
