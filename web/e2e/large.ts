/** A collection of 10,000 items, made of the sample once and for all runs; it is only read. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { makeOnce, PYTHON, STATE, TEMPLATE } from "./service";

export const LARGE = join(STATE, "large.lookalike");
/** One of its items. */
export const LARGE_ITEM = "large/00000/catalog/BlendSwapCC0-basketball_0.jpg";

export function makeLarge(): void {
  makeOnce(LARGE, (made) => {
    const ended = spawnSync(PYTHON, [join(import.meta.dirname, "large_collection.py"), TEMPLATE, made], { encoding: "utf8" });
    if (ended.status !== 0) throw new Error(`the large collection could not be made: ${ended.stderr}`);
  });
}
