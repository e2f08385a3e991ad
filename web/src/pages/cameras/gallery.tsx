import { useState } from "react";
import { type Enrolled, listGallery } from "../../api/gallery";
import { useCollection } from "../../state/collection";
import { useLoad } from "../../state/load";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { EnrolForm } from "./enrol-form";
import { GalleryRow } from "./gallery-row";

/** Who and what is recognised by name, and a form to enrol more. */
export function Gallery() {
  const { name, info } = useCollection();
  const found = useLoad((signal) => listGallery(name, { signal }), [name, info.version]);
  const [turn, setTurn] = useState(0);
  const changed = () => {
    setTurn(turn + 1);
    found.reload();
  };
  return (
    <>
      <h2>Recognised by name</h2>
      <EnrolForm names={(found.data ?? []).map((each) => each.name)} onDone={changed} />
      {found.data ? <Rows gallery={found.data} turn={turn} onChanged={changed} /> : found.error ? <ErrorState error={found.error} retry={found.reload} /> : <Loading label="Reading the gallery" />}
    </>
  );
}

function Rows({ gallery, turn, onChanged }: { gallery: readonly Enrolled[]; turn: number; onChanged: () => void }) {
  if (gallery.length === 0) {
    return (
      <EmptyState icon="user" title="Nobody is enrolled">
        Give a name and a few photos: those who were seen and look like them are named so at once, and after every run.
      </EmptyState>
    );
  }
  return (
    <ul className="gallery" aria-label="Gallery">
      {gallery.map((each) => (
        <GalleryRow key={each.name} enrolled={each} turn={turn} onChanged={onChanged} />
      ))}
    </ul>
  );
}
