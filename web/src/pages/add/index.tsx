import { type FormEvent, useEffect, useRef, useState } from "react";
import { sentence } from "../../api/problem";
import { useCollection } from "../../state/collection";
import { useForbidden } from "../../state/session";
import { Button } from "../../ui/button";
import { DropZone } from "../../ui/drop-zone";
import { TextField } from "../../ui/fields";
import { ForbiddenNote } from "../../ui/forbidden";
import { toast, toastError } from "../../ui/toasts";
import css from "./add.module.css";
import { type AttributesByName, attributesByName, parseCsv } from "./csv";
import { ofDrop, ofInput, type Picture, sorted } from "./files";
import { RunCard } from "./run-card";
import { addArchive, addPictures, addUrls, useRuns } from "./runs";

interface Attached {
  name: string;
  table: AttributesByName;
}

function FolderButton({ disabled, onFiles }: { disabled: boolean; onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const forbidden = useForbidden("write") !== null;
  return (
    <>
      <Button icon="folder" needs="write" disabled={disabled} className={css["folder"]} onClick={() => input.current?.click()}>
        Choose a folder
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        disabled={disabled || forbidden}
        multiple
        webkitdirectory=""
        aria-label="Choose a folder"
        onChange={(event) => {
          const files = Array.from(event.target.files ?? []);
          event.target.value = "";
          onFiles(files);
        }}
      />
    </>
  );
}

function AttributesTable({ attached, onAttach }: { attached: Attached | null; onAttach: (attached: Attached | null) => void }) {
  const { info } = useCollection();
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<string | null>(null);
  const read = async (file: File) => {
    try {
      onAttach({ name: file.name, table: attributesByName(parseCsv(await file.text()), info.attributes) });
      setError(null);
    } catch (wrong) {
      onAttach(null);
      setError(sentence(wrong));
    }
  };
  return (
    <div className="field">
      <span className={css["label"]}>Attributes (optional)</span>
      <div className="row">
        <Button small icon="upload" onClick={() => input.current?.click()}>
          {attached ? "Another table" : "Choose a CSV table"}
        </Button>
        {attached && (
          <Button small icon="close" onClick={() => onAttach(null)}>
            Without it
          </Button>
        )}
      </div>
      <p className={error ? "hint hint-error" : "hint"}>
        {error ?? (attached ? `${attached.name}: attributes of ${attached.table.size.toLocaleString("en")} files` : "A column “file” holds the files' names; every other column becomes an attribute.")}
      </p>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.tsv,text/csv"
        aria-label="Attributes table"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) void read(file);
          event.target.value = "";
        }}
      />
    </div>
  );
}

function Addresses({ onAdd }: { onAdd: (urls: string[]) => void }) {
  const [text, setText] = useState("");
  const urls = text.split(/\s+/).filter((line) => line !== "");
  const wrong = urls.find((url) => !/^https?:\/\//i.test(url));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAdd(urls);
    setText("");
  };
  return (
    <form className={`panel ${css["addresses"]}`} onSubmit={submit}>
      <h2>From the web</h2>
      <div className="field">
        <label htmlFor="addresses">Addresses of pictures, one a line</label>
        <textarea id="addresses" rows={4} spellCheck={false} value={text} placeholder="https://shop.example/chair.jpg" onChange={(event) => setText(event.target.value)} />
        <p className={wrong ? "hint hint-error" : "hint"}>{wrong ? `${wrong} does not begin with https:// or http://` : "The service fetches them; only public addresses are allowed."}</p>
      </div>
      <div className="row">
        <Button type="submit" icon="link" needs="write" disabled={urls.length === 0 || wrong !== undefined}>
          {urls.length > 1 ? `Fetch ${urls.length} pictures` : "Fetch"}
        </Button>
      </div>
    </form>
  );
}

export default function AddPage() {
  const { name: collection, info } = useCollection();
  const [prefix, setPrefix] = useState("uploads");
  const [attached, setAttached] = useState<Attached | null>(null);
  const runs = useRuns(collection);
  useEffect(() => {
    document.title = "Add · lookalike";
  }, []);
  const sound = prefix.trim() !== "" && !/^\/|\/$|\/\//.test(prefix.trim());
  const target = { collection, prefix: prefix.trim() };

  const add = (files: Picture[]) => {
    const { pictures, archives, other } = sorted(files);
    const table = attached?.table ?? null;
    if (pictures.length > 0) addPictures(target, pictures, table);
    for (const archive of archives) addArchive(target, archive, table);
    if (pictures.length + archives.length === 0) toast("There is no picture among these files.", { kind: "error" });
    else if (other > 0) toast(`${other} ${other === 1 ? "file is" : "files are"} neither pictures nor zip archives and were left out.`);
  };

  return (
    <main id="main" className={`page ${css["page"]}`}>
      <div className={css["head"]}>
        <h1>Add to {collection}</h1>
        <p className="muted">
          {info.items.toLocaleString("en")} items, encoder {info.encoder}. The same name again replaces a picture. After an interruption add the same again: what is there already,
          by the hash of its bytes, is skipped.
        </p>
      </div>
      <div className="stack">
        <ForbiddenNote needs="write" />
        <DropZone
          title="Drop pictures, folders or a zip archive here"
          hint="Pictures that cannot be read are listed with the reason; the others are added."
          accept="image/*,.zip,.heic,.avif,.tif,.tiff"
          multiple
          button="Choose files"
          needs="write"
          disabled={!sound}
          onFiles={(files) => add(ofInput(files))}
          onDropItems={(data) => void ofDrop(data).then(add, toastError)}
        >
          <FolderButton disabled={!sound} onFiles={(files) => add(ofInput(files))} />
        </DropZone>
        <div className={`panel ${css["settings"]}`}>
          <TextField
            label="Ids begin with"
            value={prefix}
            onChange={setPrefix}
            hint={`A file chair.jpg becomes the item ${target.prefix || "…"}/chair.jpg.`}
            error={sound ? undefined : "Give a name, without a slash at its ends."}
          />
          <AttributesTable attached={attached} onAttach={setAttached} />
        </div>
        <Addresses onAdd={(urls) => addUrls(target, urls)} />
      </div>
      <section className="stack" aria-label="Progress" aria-live="polite">
        <h2>Progress</h2>
        {runs.length === 0 && <p className="muted">Nothing was added from this page yet. It goes on while you look at other pages.</p>}
        {runs.map((run) => (
          <RunCard key={run.id} run={run} />
        ))}
      </section>
    </main>
  );
}
