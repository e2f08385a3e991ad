import { expect, test } from "vitest";
import { afterSaving, classOfKey, current, filled, say, undo, unsaved } from "./queue";

test("pictures are asked one after the other", () => {
  const queue = say(say(filled(["a", "b", "c"]), "chair"), null);
  expect(current(queue)).toBe("c");
  expect(unsaved(queue)).toEqual({ a: "chair" });
  expect(current(say(say(queue, "lamp"), "lamp"))).toBeNull();
});

test("what was not saved is undone without a trace", () => {
  const queue = undo(say(filled(["a", "b"]), "chair"));
  expect(current(queue)).toBe("a");
  expect(unsaved(queue)).toEqual({});
});

test("what was saved and undone is taken away again", () => {
  const said = say(filled(["a", "b"]), "chair");
  const queue = undo(afterSaving(said, said));
  expect(unsaved(queue)).toEqual({ a: null });
  expect(unsaved(say(queue, "lamp"))).toEqual({ a: "lamp" });
});

test("what is undone while it is being saved is taken away by the next batch", () => {
  const sent = say(filled(["a", "b"]), "chair");
  expect(unsaved(afterSaving(undo(sent), sent))).toEqual({ a: null });
});

test("another word while the first is being saved goes out with the next batch", () => {
  const sent = say(filled(["a", "b"]), "chair");
  const now = say(undo(sent), "lamp");
  expect(unsaved(afterSaving(now, sent))).toEqual({ a: "lamp" });
});

test("digits name the first nine classes", () => {
  expect(classOfKey("2", ["chair", "lamp"])).toBe("lamp");
  expect(classOfKey("3", ["chair", "lamp"])).toBeNull();
  expect(classOfKey("0", ["chair"])).toBeNull();
});
