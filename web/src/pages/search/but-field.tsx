import { type FormEvent, useEffect, useState } from "react";
import { setParams } from "../../state/address";
import { TextField } from "../../ui/fields";

/** "More like this, but ...": words joined with the picture. */
export function ButField({ but }: { but: string }) {
  const [text, setText] = useState(but);
  useEffect(() => setText(but), [but]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setParams({ but: text.trim(), k: null });
  };
  return (
    <form onSubmit={submit}>
      <TextField label="Like this, but …" placeholder="wooden" value={text} onChange={setText} onBlur={() => text.trim() !== but && setParams({ but: text.trim(), k: null })} />
    </form>
  );
}
