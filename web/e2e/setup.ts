import { mkdirSync } from "node:fs";
import { makeScene } from "./scene";
import { makeTemplate, removeStale, SCREENSHOTS, STATE } from "./service";

/** Before all tests: the sample indexed and the scene tracked, once; what interrupted runs left is removed. */
export default function setup(): void {
  mkdirSync(STATE, { recursive: true });
  mkdirSync(SCREENSHOTS, { recursive: true });
  removeStale();
  makeTemplate();
  makeScene();
}
