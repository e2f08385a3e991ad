import { describe, expect, test } from "vitest";
import { changed } from "../../state/address";
import { FRESH } from "../../state/photo-search";
import { canCrop, isSearch, PAGE_OF_HITS, readQuery } from "./query";

const read = (text: string) => readQuery(new URLSearchParams(text), { product: "text" });

describe("the address", () => {
  test("gives the whole query", () => {
    const query = read("id=a/1.jpg&id=b/2.jpg&minus=c.jpg&text=red+chair&k=96&cut=0.4&group_by=product&regions=pooled&diversity=0.3");
    expect(query).toMatchObject({
      ids: ["a/1.jpg", "b/2.jpg"],
      minusIds: ["c.jpg"],
      text: "red chair",
      k: 96,
      cut: 0.4,
      groupBy: "product",
      regions: "pooled",
      diversity: 0.3,
    });
    expect(canCrop(query)).toBe(false);
  });

  test("that someone wrote wrongly gives what is sound", () => {
    expect(read("k=many&cut=7&regions=none&group_by=nothing&crop=1&rerank=best")).toMatchObject({
      k: PAGE_OF_HITS,
      cut: 1,
      regions: "whole",
      groupBy: null,
      crop: null,
      rerank: "none",
    });
  });

  test("without a picture or words is no search", () => {
    expect(isSearch(read("f.product=x&where=product+is+null"))).toBe(false);
    expect(isSearch(read("photo=ab12"))).toBe(true);
  });

  test("of a new query keeps filters and grouping", () => {
    const next = changed(new URLSearchParams("collection=shop&id=a&crop=0,0,1,1&k=96&f.product=x&group_by=product&cut=0.2"), { ...FRESH, id: "b" });
    expect(next.toString()).toBe("collection=shop&f.product=x&group_by=product&cut=0.2&id=b");
  });
});
