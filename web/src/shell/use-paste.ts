import { useEffect, useState } from "react";

const picturesOf = (files: FileList | undefined) => Array.from(files ?? []).filter((file) => file.type.startsWith("image/"));

/** Pictures pasted anywhere on the page. */
export function usePaste(onPictures: (files: File[]) => void): void {
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const pictures = picturesOf(event.clipboardData?.files);
      if (pictures.length === 0) return;
      event.preventDefault();
      onPictures(pictures);
    };
    window.addEventListener("paste", onPaste);
    return () => window.removeEventListener("paste", onPaste);
  }, [onPictures]);
}

/** Pictures dropped anywhere on the page; true while some are held above it. */
export function useDrop(onPictures: (files: File[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth++;
      setOver(true);
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hold = (event: DragEvent) => {
      if (carriesFiles(event)) event.preventDefault();
    };
    // Seen on the way down, whoever takes the drop; taken only if nobody below did.
    const released = () => {
      depth = 0;
      setOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      const pictures = picturesOf(event.dataTransfer?.files);
      if (pictures.length > 0) onPictures(pictures);
    };
    const ending = new AbortController();
    const { signal } = ending;
    window.addEventListener("dragenter", enter, { signal });
    window.addEventListener("dragleave", leave, { signal });
    window.addEventListener("dragover", hold, { signal });
    window.addEventListener("drop", released, { signal, capture: true });
    window.addEventListener("drop", drop, { signal });
    return () => ending.abort();
  }, [onPictures]);
  return over;
}
