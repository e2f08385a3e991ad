import { useState } from "react";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/fields";

/** Asks for the name of a new attribute. */
export function NewAttribute({ onDone }: { onDone: (name: string | null) => void }) {
  const [name, setName] = useState("");
  return (
    <Dialog title="A new attribute for labels" onClose={() => onDone(null)}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onDone(name.trim());
        }}
      >
        <TextField label="Name" autoFocus required value={name} onChange={setName} hint="Such as condition or style. It begins to exist with the first label." />
        <div className="form-actions">
          <Button onClick={() => onDone(null)}>Cancel</Button>
          <Button look="primary" type="submit" disabled={name.trim() === ""}>
            Start labelling
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
