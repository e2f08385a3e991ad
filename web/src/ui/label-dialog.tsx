import { type FormEvent, useId, useState } from "react";
import { setAttributes } from "../api/items";
import type { AttributeValue } from "../api/types";
import { useCollection } from "../state/collection";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { TextField } from "./fields";
import { Progress } from "./progress";
import { toast, toastError } from "./toasts";

/** A typed word as a value of an attribute: a number or yes/no where the attribute holds those. Null: it is none. */
export function valueOf(text: string, type: string | undefined): AttributeValue | undefined {
  const word = text.trim();
  if (type === "number") return word !== "" && Number.isFinite(Number(word)) ? Number(word) : undefined;
  if (type === "boolean") return { yes: true, true: true, no: false, false: false }[word.toLowerCase()];
  if (type === "list") return word.split(",").map((each) => each.trim()).filter(Boolean);
  return word === "" ? undefined : word;
}

const EXPECTED: Record<string, string> = { number: "a number", boolean: "yes or no", list: "words with commas between them" };

/** Sets an attribute of items to a value that is typed. */
export function LabelDialog({ ids, onClose, onDone }: { ids: readonly string[]; onClose: () => void; onDone: (attribute: string) => void }) {
  const { name, info } = useCollection();
  const [attribute, setAttribute] = useState("label");
  const [text, setText] = useState("");
  const [done, setDone] = useState<number | null>(null);
  const list = useId();
  const type = info.attributes[attribute.trim()];
  const value = valueOf(text, type);
  const wrong = text !== "" && value === undefined ? `${attribute} holds ${EXPECTED[type ?? ""] ?? "words"}` : null;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (value === undefined) return;
    setDone(0);
    try {
      const changes = Object.fromEntries(ids.map((id) => [id, { [attribute.trim()]: value }]));
      const changed = await setAttributes(name, changes, setDone);
      toast(`${changed.length.toLocaleString("en")} items have ${attribute} ${text} now`);
      onDone(attribute.trim());
    } catch (error) {
      setDone(null);
      toastError(error);
    }
  };
  return (
    <Dialog title={`Label ${ids.length.toLocaleString("en")} ${ids.length === 1 ? "item" : "items"}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void save(event)}>
        <TextField label="Attribute" list={list} required value={attribute} onChange={setAttribute} hint="One there is, or a new one." />
        <datalist id={list}>
          {Object.keys(info.attributes).map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </datalist>
        <TextField label="Value" autoFocus required value={text} onChange={setText} error={wrong} hint="It takes the place of the value that each item has." />
        {done !== null && <Progress label="Setting" done={done} total={ids.length} />}
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" icon="labels" disabled={done !== null || value === undefined || attribute.trim() === ""}>
            Label
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
