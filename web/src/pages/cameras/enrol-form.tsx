import { type FormEvent, useEffect, useMemo, useState } from "react";
import { type Enrolled, galleryPath, MOST_PICTURES } from "../../api/gallery";
import { sentence } from "../../api/problem";
import { upload } from "../../api/upload";
import { useCollection } from "../../state/collection";
import { Button, IconButton } from "../../ui/button";
import { DropZone } from "../../ui/drop-zone";
import { TextField } from "../../ui/fields";
import { toast } from "../../ui/toasts";

/** A name and a few photos of whom or what it means. */
export function EnrolForm({ names, onDone }: { names: readonly string[]; onDone: () => void }) {
  const { name: collection } = useCollection();
  const [name, setName] = useState("");
  const [reason, setReason] = useState("");
  const [photos, setPhotos] = useState<readonly File[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const called = name.trim();
  const known = names.includes(called);

  const enrol = async (event: FormEvent) => {
    event.preventDefault();
    const form = new FormData();
    form.append("name", called);
    for (const photo of photos) form.append("image", photo);
    if (reason.trim()) form.append("reason", reason.trim());
    setBusy(true);
    setError(null);
    try {
      const { identities } = await upload<Enrolled>(galleryPath(collection), form);
      toast(identities.length === 0 ? `${called} is enrolled; nobody who was seen looks like it` : `${called} is enrolled, and recognised in ${identities.join(", ")}`);
      setName("");
      setReason("");
      setPhotos([]);
      onDone();
    } catch (refused) {
      setError(sentence(refused));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="follow-form" aria-label="Enrol" onSubmit={(event) => void enrol(event)}>
      <div className="stack">
        <DropZone
          title="Drop photos"
          hint={`1 to ${MOST_PICTURES}, each showing the person or thing from head to foot and little else.`}
          accept="image/*"
          multiple
          icon="user"
          needs="write"
          button="Choose photos"
          disabled={busy || photos.length >= MOST_PICTURES}
          onFiles={(files) => setPhotos([...photos, ...files].slice(0, MOST_PICTURES))}
        />
        {photos.length > 0 && <Chosen photos={photos} onRemove={(photo) => setPhotos(photos.filter((each) => each !== photo))} />}
      </div>
      <div className="stack">
        <TextField
          label="Name"
          required
          maxLength={200}
          value={name}
          onChange={setName}
          error={error}
          hint={known ? `${called} is enrolled: these photos take the place of those before.` : "What it is called where it is recognised."}
        />
        <TextField label="Reason" maxLength={500} value={reason} onChange={setReason} placeholder="lost bag, case 118" hint="It is kept in the log with this enrolment." />
        <Button look="primary" type="submit" icon="user" needs="write" disabled={busy || photos.length === 0 || called === ""}>
          {busy ? "Enrolling…" : known ? "Enrol anew" : "Enrol"}
        </Button>
      </div>
    </form>
  );
}

function Chosen({ photos, onRemove }: { photos: readonly File[]; onRemove: (photo: File) => void }) {
  const shown = useMemo(() => photos.map((photo) => ({ photo, url: URL.createObjectURL(photo) })), [photos]);
  useEffect(() => () => shown.forEach(({ url }) => URL.revokeObjectURL(url)), [shown]);
  return (
    <div className="gallery-pictures" role="group" aria-label="Chosen photos">
      {shown.map(({ photo, url }) => (
        <figure key={url}>
          <img src={url} alt={photo.name} />
          <IconButton small icon="close" label={`Leave ${photo.name} out`} onClick={() => onRemove(photo)} />
        </figure>
      ))}
    </div>
  );
}
