import { describe, expect, test } from "vitest";
import { batches, type Picture, sorted } from "./files";

const picture = (path: string, size = 1, type = ""): Picture => ({ path, file: { size, type, name: path.split("/").pop() } as File });

describe("what was chosen", () => {
  test("is sorted into pictures, archives and the rest; hidden files are nobody's", () => {
    const found = sorted([picture("a/b.JPG"), picture("c", 1, "image/x-own"), picture("d.zip"), picture("e.txt"), picture("a/.DS_Store"), picture("__MACOSX/f.jpg")]);
    expect(found.pictures.map(({ path }) => path)).toEqual(["a/b.JPG", "c"]);
    expect(found.archives).toHaveLength(1);
    expect(found.other).toBe(1);
  });
});

describe("requests", () => {
  test("hold at most 24 files, in order, all of them", () => {
    const all = Array.from({ length: 50 }, (_, at) => picture(`${at}.jpg`));
    const packed = batches(all);
    expect(packed.map((batch) => batch.length)).toEqual([24, 24, 2]);
    expect(packed.flat()).toEqual(all);
  });

  test("are split by size; a large file goes alone", () => {
    const packed = batches([picture("a", 20 * 2 ** 20), picture("b", 20 * 2 ** 20), picture("c", 200 * 2 ** 20), picture("d")]);
    expect(packed.map((batch) => batch.map(({ path }) => path))).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });

  test("are none without files", () => {
    expect(batches([])).toEqual([]);
  });
});
