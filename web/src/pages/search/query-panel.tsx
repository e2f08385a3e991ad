import { useRef, useState } from "react";
import { originalUrl, thumbnailUrl } from "../../api/collections";
import { type Changes, setParams, useAddress } from "../../state/address";
import { searchByPhotos } from "../../state/photo-search";
import { keepUpload, type Upload, useUploads } from "../../state/uploads";
import { Button, IconButton } from "../../ui/button";
import { DropZone } from "../../ui/drop-zone";
import { toastError } from "../../ui/toasts";
import { MIDDLE, writeCrop } from "./crop";
import { CropEditor } from "./crop-editor";
import { canCrop, hasPicture, type Query } from "./query";
import { ButField } from "./but-field";
import css from "./search.module.css";

function Camera() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button className={css["touchOnly"]} icon="camera" onClick={() => input.current?.click()}>
        Take a photo
      </Button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        aria-label="Take a photo"
        onChange={(event) => {
          const files = Array.from(event.target.files ?? []);
          event.target.value = "";
          if (files.length > 0) void searchByPhotos(files);
        }}
      />
    </>
  );
}

export function PhotoDrop() {
  return (
    <DropZone
      title="Search by photo"
      icon="image"
      hint={<span className={css["pointerOnly"]}>Drop it here, or paste it with Ctrl+V.</span>}
      accept="image/*"
      multiple
      button="Choose a photo"
      onFiles={(files) => void searchByPhotos(files)}
    >
      <Camera />
    </DropZone>
  );
}

interface Example {
  key: string;
  name: string;
  small: string | null;
  large: string | null;
  gone: boolean;
  remove: () => void;
}

function examplesOf(collection: string, ids: string[], photos: string[], uploads: Upload[], fields: { id: string; photo: string }): Example[] {
  const { id: idField, photo: photoField } = fields;
  const one = ids.length + photos.length === 1 && idField === "id";
  const without = (list: string[], at: number) => list.filter((_, index) => index !== at);
  const also: Changes = one ? { crop: null, but: null, k: null } : { k: null };
  return [
    ...photos.map((hash, at): Example => {
      const upload = uploads[at];
      const url = upload?.state === "here" ? upload.url : null;
      return {
        key: hash,
        name: upload?.state === "here" ? upload.file.name : "photo",
        small: url,
        large: url,
        gone: upload?.state === "gone",
        remove: () => setParams({ [photoField]: without(photos, at), ...also }),
      };
    }),
    ...ids.map(
      (id, at): Example => ({
        key: id,
        name: id,
        small: thumbnailUrl(collection, id),
        large: originalUrl(collection, id, 1024),
        gone: false,
        remove: () => setParams({ [idField]: without(ids, at), ...also }),
      }),
    ),
  ];
}

function Thumbs({ examples, label }: { examples: Example[]; label: string }) {
  return (
    <ul className={css["thumbs"]} aria-label={label}>
      {examples.map((example) => (
        <li key={example.key} title={example.name}>
          {example.small ? <img src={example.small} alt={example.name} /> : <span className={css["goneThumb"]}>gone</span>}
          <IconButton small icon="close" label={`Remove ${example.name}`} onClick={example.remove} />
        </li>
      ))}
    </ul>
  );
}

function AddFiles({ label, field }: { label: string; field: "photo" | "minus_photo" }) {
  const input = useRef<HTMLInputElement>(null);
  const { params } = useAddress();
  const add = async (files: File[]) => {
    try {
      const hashes = await Promise.all(files.slice(0, 8).map(keepUpload));
      setParams({ [field]: [...new Set([...params.getAll(field), ...hashes])], k: null, ...(field === "photo" ? { crop: null } : {}) });
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <>
      <Button small icon={field === "photo" ? "add" : "ban"} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label={label}
        onChange={(event) => {
          const files = Array.from(event.target.files ?? []);
          event.target.value = "";
          void add(files);
        }}
      />
    </>
  );
}

function OnePicture({ example, query, croppable }: { example: Example; query: Query; croppable: boolean }) {
  const [fallback, setFallback] = useState<string | null>(null);
  const setCrop = (crop: typeof query.crop) => setParams({ crop: crop && writeCrop(crop), k: null }, { replace: query.crop !== null && crop !== null });
  if (example.gone)
    return (
      <div className={css["gone"]} role="alert">
        <p>This photo is no longer in this browser. An address cannot hold a photo, so choose it again.</p>
        <Button small onClick={example.remove}>
          Remove it
        </Button>
      </div>
    );
  if (!example.large) return <div className={css["waiting"]} />;
  return (
    <>
      {croppable ? (
        <CropEditor key={example.key} src={example.large} name={example.name} crop={query.crop} onChange={setCrop} />
      ) : (
        <img className={css["one"]} src={fallback ?? example.large} alt={`Query: ${example.name}`} onError={() => setFallback(example.small)} />
      )}
      <div className="row">
        {croppable && query.crop === null && (
          <Button small icon="crop" onClick={() => setCrop(MIDDLE)}>
            Crop
          </Button>
        )}
        {query.crop !== null && (
          <Button small icon="close" onClick={() => setCrop(null)}>
            Whole picture
          </Button>
        )}
        <Button small icon="close" onClick={example.remove}>
          Remove
        </Button>
      </div>
    </>
  );
}

/** What is looked for and what is not: pictures, the crop, negatives. */
export function QueryPanel({ collection, query }: { collection: string; query: Query }) {
  const uploads = useUploads(query.photos);
  const minusUploads = useUploads(query.minusPhotos);
  const wanted = examplesOf(collection, query.ids, query.photos, uploads, { id: "id", photo: "photo" });
  const unwanted = examplesOf(collection, query.minusIds, query.minusPhotos, minusUploads, { id: "minus", photo: "minus_photo" });
  if (!hasPicture(query) && unwanted.length === 0) return <PhotoDrop />;
  const [only] = wanted;
  return (
    <section className={`panel ${css["query"]}`} aria-label="Query">
      {wanted.length === 1 && only ? (
        <OnePicture example={only} query={query} croppable={canCrop(query)} />
      ) : (
        wanted.length > 1 && <Thumbs label="Pictures looked for" examples={wanted} />
      )}
      {unwanted.length > 0 && (
        <>
          <h3>Not like</h3>
          <Thumbs label="Not like these" examples={unwanted} />
        </>
      )}
      <details className={css["refine"]} open={query.but !== "" || !window.matchMedia("(max-width: 760px)").matches}>
        <summary>Refine</summary>
        <div className={css["refineBody"]}>
          {hasPicture(query) && <ButField but={query.but} />}
          <div className="row">
            <AddFiles label="And a photo" field="photo" />
            <AddFiles label="Not like…" field="minus_photo" />
          </div>
        </div>
      </details>
    </section>
  );
}
