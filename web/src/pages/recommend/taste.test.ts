import { describe, expect, test } from "vitest";
import type { Because } from "../../api/types";
import { afterDislike, afterLike, parseLikes } from "../../state/likes";
import { likesOf, reasonOf, spread } from "./taste";

const event = (item: string, name: string) => ({ item, event: name, time: "2026-01-01T00:00:00Z", weight: 1 });
const because = (more: Partial<Because>): Because => ({ id: "a", similarity: 0.618, share: 1, together: 0, event: null, time: null, ...more });

describe("what a user did", () => {
  test("counts by the last event on each item, and views do not count", () => {
    const events = [event("a", "like"), event("b", "purchase"), event("a", "hide"), event("c", "view")];
    expect(likesOf(events)).toEqual({ likes: ["b"], dislikes: ["a"] });
  });
});

describe("the reason", () => {
  test("names the strongest example and its similarity", () => {
    expect(reasonOf("interest", because({}), (id) => `item ${id}`)).toBe("Because you liked item a · similarity 0.62");
    expect(reasonOf("interest", because({ event: "purchase", together: 0.8 }), (id) => id)).toBe("Because you bought a, as others did · similarity 0.62");
  });

  test("says when there is none", () => {
    expect(reasonOf("exploration", undefined, (id) => id)).toMatch(/Something new/);
  });
});

describe("likes in this tab", () => {
  test("an item is liked or disliked, never both", () => {
    const liked = afterLike({ likes: [], dislikes: ["a"] }, "a");
    expect(liked).toEqual({ likes: ["a"], dislikes: [] });
    expect(afterDislike(liked, "a")).toEqual({ likes: [], dislikes: ["a"] });
  });

  test.each([null, "", "{", '{"likes": 3}'])("kept as %s are none", (text) => {
    expect(parseLikes(text)).toEqual({ likes: [], dislikes: [] });
  });
});

test("a spread takes items from all over the list", () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7], 4)).toEqual([0, 2, 4, 6]);
  expect(spread([1, 2], 4)).toEqual([1, 2]);
});
