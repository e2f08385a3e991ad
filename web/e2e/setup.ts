import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeTemplate, SCREENSHOTS, STATE } from "./service";

/** Before all tests: the sample indexed once; what an interrupted run left is removed. */
export default function setup(): void {
  mkdirSync(STATE, { recursive: true });
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const left of readdirSync(STATE)) if (left.startsWith("service-")) rmSync(join(STATE, left), { recursive: true, force: true });
  makeTemplate();
}
