import { describe, expect, test } from "vitest";
import type { AttributeType } from "../api/types";
import { changed } from "../state/address";
import { attributeName, condition, quoted, readSelections, type Selections, whereOf, writeSelection } from "./filters";

const TYPES: Record<string, AttributeType> = { category: "text", tags: "list", price: "number", in_stock: "boolean", "shelf no": "text" };

describe("what is chosen", () => {
  test("comes back from the address as it was written", () => {
    const chosen: Selections = {
      category: { kind: "values", values: ["Kitchen", "Living & Dining"] },
      tags: { kind: "values", values: ['a "quoted" one'] },
      price: { kind: "range", from: 10, to: null },
      in_stock: { kind: "values", values: ["true"] },
    };
    let params = new URLSearchParams("collection=shop");
    for (const [attribute, selection] of Object.entries(chosen)) params = changed(params, writeSelection(attribute, selection));
    expect(readSelections(new URLSearchParams(params.toString()), TYPES)).toEqual(chosen);
  });

  test("of attributes that the collection does not have is passed over", () => {
    expect(readSelections(new URLSearchParams("f.colour=red&f.price=cheap"), TYPES)).toEqual({});
  });

  test("leaves the address when nothing is left of it", () => {
    const params = new URLSearchParams("f.category=Kitchen");
    expect(changed(params, writeSelection("category", { kind: "values", values: [] })).toString()).toBe("");
  });
});

describe("the expression", () => {
  test("quotes what could end a text, and names that are no words", () => {
    expect(quoted('5" \\ 6')).toBe('"5\\" \\\\ 6"');
    expect(attributeName("shelf no")).toBe("`shelf no`");
    expect(attributeName("in")).toBe("`in`");
    expect(attributeName("a`b")).toBe("`a``b`");
  });

  test("fits each type", () => {
    expect(condition("category", { kind: "values", values: ["A", "B"] }, "text")).toBe('category in ("A", "B")');
    expect(condition("tags", { kind: "values", values: ["x", "y"] }, "list")).toBe('tags has "x" or tags has "y"');
    expect(condition("in_stock", { kind: "values", values: ["false"] }, "boolean")).toBe("in_stock = false");
    expect(condition("price", { kind: "range", from: 1.5, to: 9 }, "number")).toBe("price >= 1.5 and price <= 9");
  });

  test("joins everything and says where the expert's part begins", () => {
    const chosen: Selections = { tags: { kind: "values", values: ["x", "y"] }, price: { kind: "range", from: null, to: 9 } };
    expect(whereOf("not in_stock", chosen, TYPES)).toEqual({
      expression: '(not in_stock) and (tags has "x" or tags has "y") and price <= 9',
      offset: 1,
    });
    expect(whereOf("not in_stock", {}, TYPES)).toEqual({ expression: "not in_stock", offset: 0 });
    expect(whereOf(null, chosen, TYPES, "tags")).toEqual({ expression: "price <= 9", offset: 0 });
    expect(whereOf(null, {}, TYPES)).toEqual({ expression: null, offset: 0 });
  });
});
