/** A scene with two cameras: painted people who cross both, tracked once; a test works on a copy. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { lookalike, makeOnce, PYTHON, ROOT, STATE } from "./service";

const SCENE = join(STATE, "scene");
export const SCENE_TEMPLATE = join(STATE, "scene.lookalike");
/** A frame of the scene in which one of the walkers is alone. */
export const WALKER = join(SCENE, "gate", "0003.png");

export function makeScene(): void {
  makeOnce(SCENE, paint);
  makeOnce(SCENE_TEMPLATE, (made) => lookalike("track", join(SCENE, "cameras.json"), "--to", made, "--json"));
}

function paint(scene: string): void {
  const code = `import sys; from pathlib import Path; from camera_scenes import write_scene; write_scene(Path(sys.argv[1]))`;
  const made = spawnSync(PYTHON, ["-c", code, scene], { encoding: "utf8", env: { ...process.env, PYTHONPATH: join(ROOT, "tests") } });
  if (made.status !== 0) throw new Error(`the scene could not be painted: ${made.stderr}`);
}
