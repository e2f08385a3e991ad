/** What the specs of Map, Groups, Labels and Cameras start from: the sample, and a scene with two cameras. */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test as base } from "./fixtures";
import { lookalike, PYTHON, ROOT, type Service, startService, STATE } from "./service";

export { expect, expectAccessible, type Page, picture, tiles } from "./fixtures";

const SCENE = join(STATE, "scene");
const SCENE_TEMPLATE = join(STATE, "scene.lookalike");
/** A frame of the scene in which one of the walkers is alone. */
export const WALKER = join(SCENE, "gate", "0003.png");

/** Painted people who cross two cameras, tracked once; a test works on a copy. */
function makeScene(): void {
  if (existsSync(SCENE_TEMPLATE)) return;
  rmSync(SCENE, { recursive: true, force: true });
  const code = `import sys; from pathlib import Path; from camera_scenes import write_scene; write_scene(Path(sys.argv[1]))`;
  const made = spawnSync(PYTHON, ["-c", code, SCENE], { encoding: "utf8", env: { ...process.env, PYTHONPATH: join(ROOT, "tests") } });
  if (made.status !== 0) throw new Error(`the scene could not be painted: ${made.stderr}`);
  const making = `${SCENE_TEMPLATE}.making`;
  rmSync(making, { recursive: true, force: true });
  lookalike("track", join(SCENE, "cameras.json"), "--to", making, "--json");
  cpSync(making, SCENE_TEMPLATE, { recursive: true });
  rmSync(making, { recursive: true, force: true });
}

interface Workers {
  service: Service;
  /** `test.use({ specs: "map" })`: the specs of a file have a service of their own, which others have not changed. */
  specs: string;
}

export const test = base.extend<object, Workers>({
  specs: ["", { option: true, scope: "worker" }],
  service: [
    async ({ specs }, run) => {
      makeScene();
      const folder = mkdtempSync(join(STATE, `service-${specs}-`));
      const scene = join(folder, "scene.lookalike");
      cpSync(SCENE_TEMPLATE, scene, { recursive: true });
      const service = await startService({ more: { scene } });
      await run(service);
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: "worker", timeout: 180_000 },
  ],
});

/** What the service answers, as JSON; an error with its words. */
export async function ask<T>(service: Service, method: string, path: string, body?: unknown): Promise<T> {
  const form = body instanceof FormData;
  const answer = await fetch(`${service.url}/v1/collections/${path}`, {
    method,
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body), headers: form ? {} : { "Content-Type": "application/json" } }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** A file as an upload. */
export function fileOf(path: string, name: string): File {
  return new File([readFileSync(path)], name);
}
