import { expect, test } from "vitest";
import type { DuplicateGroup } from "../../api/groups";
import { allKept, isKept, toggled, toRemove } from "./choices";

const group: DuplicateGroup = { ids: ["a", "b", "c"], kind: "near", similarity: 0.97, reason: "larger" };

test("all but the first go by default", () => {
  expect(toRemove([group], new Set())).toEqual(["b", "c"]);
});

test("each picture can be turned round, and back", () => {
  const once = toggled(new Set(), "b");
  expect(isKept(group, "b", once)).toBe(true);
  expect(toRemove([group], once)).toEqual(["c"]);
  expect(toRemove([group], toggled(once, "b"))).toEqual(["b", "c"]);
});

test("a group can be kept whole", () => {
  expect(toRemove([group], allKept(group, toggled(new Set(), "a")))).toEqual([]);
});

test("never does a whole group go", () => {
  expect(toRemove([group], toggled(new Set(), "a"))).toEqual(["b", "c"]);
});
