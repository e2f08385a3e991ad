import { useEffect, useState } from "react";
import { type Compared, explain, explainPicture } from "../../api/search";
import { useLoad } from "../../state/load";
import type { Upload } from "../../state/uploads";
import { Dialog } from "../../ui/dialog";
import { ErrorState, Loading } from "../../ui/states";
import { writeCrop } from "./crop";
import { canCrop, type Query } from "./query";
import css from "./search.module.css";

const METHODS: Record<string, string> = {
  exact: "The warm places are exact shares of the similarity: together they make up all of it.",
  occlusion: "The warm places are those whose covering costs the most similarity.",
};

/** The query's picture that likeness is explained against. */
export function comparedOf(query: Query, photos: Upload[]): Compared | null {
  const photo = photos.find((upload) => upload.state === "here");
  if (photo?.state === "here") return query.crop && canCrop(query) ? { image: photo.file, crop: writeCrop(query.crop) } : { image: photo.file };
  return query.ids[0] === undefined ? null : { id: query.ids[0] };
}

function usePictureUrl(blob: Blob | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}

/** Where and why two pictures look alike. */
export function WhyDialog({ collection, compared, id, name, onClose }: { collection: string; compared: Compared; id: string; name: string; onClose: () => void }) {
  const key = "id" in compared ? compared.id : `${compared.image.name} ${compared.image.size} ${compared.crop ?? ""}`;
  const picture = useLoad((signal) => explainPicture(collection, compared, id, signal), [collection, key, id]);
  const facts = useLoad((signal) => explain(collection, compared, id, signal), [collection, key, id]);
  const url = usePictureUrl(picture.data);
  return (
    <Dialog title={`Why ${name} is similar`} wide onClose={onClose}>
      <div className={css["why"]}>
        {picture.error !== null ? (
          <ErrorState error={picture.error} retry={picture.reload} />
        ) : url ? (
          <div className={css["whyScroll"]} tabIndex={0} role="group" aria-label="Heat-maps">
            <img src={url} alt={`Heat-maps of the query and of ${name}: what makes them alike is warm; matching regions have the same number`} />
          </div>
        ) : (
          <Loading label="Comparing the pictures" />
        )}
        {facts.data && (
          <p className="muted">
            Similarity {facts.data.similarity.toFixed(3)}. {METHODS[facts.data.method] ?? `Method: ${facts.data.method}.`}
          </p>
        )}
      </div>
    </Dialog>
  );
}
