import { type FormEvent, type RefObject, useEffect, useRef, useState } from "react";
import { setParams } from "../../state/address";
import { searchByPhotos } from "../../state/photo-search";
import { Button, IconButton } from "../../ui/button";
import { Icon } from "../../ui/icons";
import css from "./search.module.css";

/** Words, and the short way to a photo. */
export function SearchBar({ text, input, onHelp }: { text: string; input: RefObject<HTMLInputElement | null>; onHelp: () => void }) {
  const [words, setWords] = useState(text);
  const files = useRef<HTMLInputElement>(null);
  useEffect(() => setWords(text), [text]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setParams({ text: words.trim(), k: null });
  };
  return (
    <form className={css["bar"]} role="search" onSubmit={submit}>
      <div className={css["words"]}>
        <Icon name="search" size={20} />
        <input
          ref={input}
          type="search"
          aria-label="Search by words"
          placeholder="Search by words or photo"
          value={words}
          enterKeyHint="search"
          onChange={(event) => {
            setWords(event.target.value);
            if (event.target.value === "" && text !== "") setParams({ text: null, k: null });
          }}
        />
        <IconButton icon="camera" label="Search by photo" onClick={() => files.current?.click()} />
        <input
          ref={files}
          type="file"
          accept="image/*"
          multiple
          hidden
          aria-label="Search by photo"
          onChange={(event) => {
            const chosen = Array.from(event.target.files ?? []);
            event.target.value = "";
            if (chosen.length > 0) void searchByPhotos(chosen);
          }}
        />
      </div>
      <Button look="primary" type="submit">
        Search
      </Button>
      <IconButton icon="help" label="Keyboard shortcuts" onClick={onHelp} />
    </form>
  );
}
