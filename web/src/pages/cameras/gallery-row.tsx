import { useState } from "react";
import { cropUrl } from "../../api/cameras";
import { withParams } from "../../api/client";
import { type Enrolled, unenrol } from "../../api/gallery";
import { useCollection } from "../../state/collection";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { toast, toastError } from "../../ui/toasts";

/** One name: the pictures it was enrolled with, and the identities that look like it. */
export function GalleryRow({ enrolled, turn, onChanged }: { enrolled: Enrolled; turn: number; onChanged: () => void }) {
  const { name: collection } = useCollection();
  const [asking, setAsking] = useState(false);
  const { name, pictures, usable, identities } = enrolled;
  const remove = async () => {
    try {
      await unenrol(collection, name);
      toast(`${name} is recognised no more`);
      onChanged();
    } catch (error) {
      toastError(error);
    }
    setAsking(false);
  };
  return (
    <li className="panel gallery-row">
      <div className="gallery-head">
        <strong title={name}>{name}</strong>
        <span className="count">
          {pictures.length} {pictures.length === 1 ? "photo" : "photos"}
        </span>
        <IconButton small icon="trash" needs="write" label={`Unenrol ${name}`} onClick={() => setAsking(true)} />
      </div>
      <div className="gallery-pictures">
        {/* The links stay when the photos change: the turn makes the browser look again. */}
        {pictures.map((link, at) => (
          <img key={link} src={withParams(link, { turn })} alt={`Photo ${at + 1} of ${name}`} loading="lazy" decoding="async" />
        ))}
      </div>
      <div className="gallery-found">
        {!usable ? (
          <p className="hint hint-error">Its photos were described by another encoder and cannot be compared any more: enrol it anew.</p>
        ) : identities.length === 0 ? (
          <p className="hint">Nobody who was seen looks like it.</p>
        ) : (
          <>
            <p className="hint">Recognised as it</p>
            <div className="gallery-pictures">
              {identities.map((id) => (
                <figure key={id}>
                  <img src={cropUrl(collection, id)} alt={`${id} at its best`} loading="lazy" decoding="async" />
                  <figcaption className="count">{id}</figcaption>
                </figure>
              ))}
            </div>
          </>
        )}
      </div>
      {asking && (
        <Dialog
          title={`Unenrol ${name}?`}
          onClose={() => setAsking(false)}
          footer={
            <>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button look="danger" icon="trash" onClick={() => void remove()}>
                Unenrol
              </Button>
            </>
          }
        >
          <p>
            {name} and its {pictures.length} {pictures.length === 1 ? "photo" : "photos"} leave the gallery. Names given to identities by hand stay. There is no undo.
          </p>
        </Dialog>
      )}
    </li>
  );
}
