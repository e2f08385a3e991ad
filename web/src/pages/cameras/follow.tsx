import { type FormEvent, useEffect, useMemo, useState } from "react";
import { type Following, followPath, type IdentityFilter } from "../../api/cameras";
import { upload } from "../../api/upload";
import { useCollection } from "../../state/collection";
import { Button } from "../../ui/button";
import { DropZone } from "../../ui/drop-zone";
import { TextField } from "../../ui/fields";
import { ErrorState, Loading } from "../../ui/states";
import { type Crop, MIDDLE, writeCrop } from "../search/crop";
import { CropEditor } from "../search/crop-editor";
import { FollowAnswer } from "./follow-answer";

/** Where somebody was seen, by a photo. */
export function Follow({ cameras, filter }: { cameras: readonly string[]; filter: IdentityFilter }) {
  const { name } = useCollection();
  const [photo, setPhoto] = useState<File | null>(null);
  const [crop, setCrop] = useState<Crop | null>(null);
  const [reason, setReason] = useState("");
  const [answer, setAnswer] = useState<Following | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const preview = useMemo(() => (photo ? URL.createObjectURL(photo) : null), [photo]);
  useEffect(() => () => void (preview && URL.revokeObjectURL(preview)), [preview]);

  const ask = async (event: FormEvent) => {
    event.preventDefault();
    if (!photo) return;
    const form = new FormData();
    form.append("image", photo);
    if (crop) form.append("crop", writeCrop(crop));
    if (reason.trim()) form.append("reason", reason.trim());
    for (const [field, value] of Object.entries({ from: filter.from, to: filter.to, camera: filter.camera })) if (value !== null) form.append(field, value);
    setBusy(true);
    setError(null);
    try {
      setAnswer(await upload<Following>(followPath(name), form));
    } catch (refused) {
      setAnswer(null);
      setError(refused);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <h2>Follow somebody or something by a photo</h2>
      <form className="follow-form" onSubmit={(event) => void ask(event)}>
        {preview ? (
          <div className="follow-photo">
            <CropEditor src={preview} name="whom to follow" crop={crop} onChange={setCrop} />
            <p className="hint">Draw around the person or thing, from head to foot, where the photo shows more.</p>
            <div className="row">
              <Button small icon="crop" onClick={() => setCrop(crop ? null : MIDDLE)}>
                {crop ? "Whole photo" : "Crop"}
              </Button>
              <Button small icon="close" onClick={() => (setPhoto(null), setCrop(null), setAnswer(null))}>
                Another photo
              </Button>
            </div>
          </div>
        ) : (
          <DropZone
            title="Drop a photo"
            hint="It shows the person or thing from head to foot and little else."
            accept="image/*"
            icon="camera"
            button="Choose a photo"
            onFiles={([file]) => setPhoto(file ?? null)}
          />
        )}
        <div className="stack">
          <TextField label="Reason" maxLength={500} value={reason} onChange={setReason} placeholder="lost bag, case 118" hint="It is kept in the log with this search." />
          <Button look="primary" type="submit" icon="search" disabled={!photo || busy}>
            Follow
          </Button>
        </div>
      </form>
      {busy ? <Loading label="Comparing with everybody who was seen" /> : error ? <ErrorState error={error} /> : answer && <FollowAnswer answer={answer} cameras={cameras} />}
    </>
  );
}
