import { describe, expect, test } from "vitest";
import { forbidden } from "./session";

describe("a scope", () => {
  test("allows what those before it allow", () => {
    expect(forbidden({ name: "page", scope: "admin" }, "write")).toBeNull();
    expect(forbidden({ name: "page", scope: "write" }, "write")).toBeNull();
  });

  test("that is too small is said, with whose key it is and what is needed", () => {
    expect(forbidden({ name: "shop page", scope: "read" }, "write")).toMatch(/shop page.* read.* write/);
    expect(forbidden({ name: "shop page", scope: "write" }, "admin")).toMatch(/admin/);
  });
});
