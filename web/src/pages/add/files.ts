/** The files that are added: gathered from what was chosen or dropped, and packed into requests. */

export interface Picture {
  /** Path inside what was chosen, with forward slashes: the item's id below the prefix. */
  path: string;
  file: File;
}

export interface Gathered {
  pictures: Picture[];
  archives: File[];
  /** Files that are neither. */
  other: number;
}

/** As the service reads them; what the browser calls an image is sent as well. */
const PICTURE = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|heic|heif|jp2|ppm|pgm)$/i;
const ARCHIVE = /\.zip$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;

export function sorted(files: readonly Picture[]): Gathered {
  const visible = files.filter(({ path }) => !HIDDEN.test(path));
  const archives = visible.filter(({ path }) => ARCHIVE.test(path));
  const pictures = visible.filter(({ path, file }) => !ARCHIVE.test(path) && (file.type.startsWith("image/") || PICTURE.test(path)));
  return { pictures, archives: archives.map(({ file }) => file), other: visible.length - archives.length - pictures.length };
}

export function ofInput(files: readonly File[]): Picture[] {
  return files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Everything dropped, folders with all that is in them. */
export async function ofDrop(data: DataTransfer): Promise<Picture[]> {
  const entries = Array.from(data.items).flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return ofInput(Array.from(data.files));
  return (await Promise.all(entries.map(ofEntry))).flat();
}

async function ofEntry(entry: FileSystemEntry): Promise<Picture[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    children.push(...some);
  }
  return (await Promise.all(children.map(ofEntry))).flat();
}

const MOST_FILES = 24;
const MOST_BYTES = 32 * 2 ** 20;

/** Requests of at most 24 files and 32 MiB; a larger file goes alone, and the service says whether it is too large. */
export function batches(pictures: readonly Picture[]): Picture[][] {
  const all: Picture[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const picture of pictures) {
    const last = all[all.length - 1];
    if (!last || last.length >= MOST_FILES || bytes + picture.file.size > MOST_BYTES) {
      all.push([picture]);
      bytes = picture.file.size;
    } else {
      last.push(picture);
      bytes += picture.file.size;
    }
  }
  return all;
}
