import { describe, expect, test } from "vitest";
import { attributesByName, attributesOf, parseCsv } from "./csv";

describe("a table", () => {
  test("keeps what quotes protect, whatever ends its lines", () => {
    const table = parseCsv('\uFEFFfile,name\r\na.jpg,"Chair, ""red"""\nb.jpg,"two\nlines"\r\n\r\n');
    expect(table).toEqual({ columns: ["file", "name"], rows: [["a.jpg", 'Chair, "red"'], ["b.jpg", "two\nlines"]] });
  });

  test("may be separated by semicolons or tabs", () => {
    expect(parseCsv("file;price\na.jpg;3").rows).toEqual([["a.jpg", "3"]]);
    expect(parseCsv("file\tprice\na.jpg\t3").rows).toEqual([["a.jpg", "3"]]);
  });

  test.each(["", "file", 'file,name\na.jpg,"open'])("%j is refused with a reason", (text) => {
    expect(() => parseCsv(text)).toThrow(/table/);
  });
});

describe("attributes", () => {
  test("have the types that all values of a column have", () => {
    const all = attributesByName(parseCsv("file,price,in_stock,code\na.jpg,3.5,true,7\nb.jpg,,false,x7"), {});
    expect(all.get("a.jpg")).toEqual({ price: 3.5, in_stock: true, code: "7" });
    expect(all.get("b.jpg")).toEqual({ in_stock: false, code: "x7" });
  });

  test("have the collection's types where it has them", () => {
    const all = attributesByName(parseCsv('name,file,tags,code\nChair,a.jpg,"wood, red",7'), { tags: "list", code: "text" });
    expect(all.get("a.jpg")).toEqual({ name: "Chair", tags: ["wood", "red"], code: "7" });
  });

  test("are found by the whole path first, then by its end", () => {
    const all = attributesByName(parseCsv("file,n\nx/a.jpg,1\na.jpg,2"), {});
    expect(attributesOf(all, "shop/x/a.jpg")).toEqual({ n: 1 });
    expect(attributesOf(all, "y/a.jpg")).toEqual({ n: 2 });
    expect(attributesOf(all, "b.jpg")).toBeUndefined();
  });
});
