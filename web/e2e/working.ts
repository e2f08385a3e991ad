/** What the specs of Map, Groups, Labels and Cameras start from: the sample, and a scene with two cameras. */

import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test as base, type Workers } from "./fixtures";
import { SCENE_TEMPLATE } from "./scene";
import { ownFolder, type Service, startService } from "./service";

export { expect, expectAccessible, type Page, picture, tiles } from "./fixtures";
export { WALKER } from "./scene";

export const test = base.extend<object, Pick<Workers, "service">>({
  service: [
    async ({}, run) => {
      const folder = ownFolder("service");
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
export async function ask<T>(service: Pick<Service, "url" | "key">, method: string, path: string, body?: unknown): Promise<T> {
  const form = body instanceof FormData;
  const headers: Record<string, string> = service.key === null ? {} : { Authorization: `Bearer ${service.key}` };
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const answer = await fetch(`${service.url}/v1/collections/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Start a job, and wait for its end. */
export async function work(service: Pick<Service, "url" | "key">, path: string, body: unknown): Promise<void> {
  const { id } = await ask<{ id: string }>(service, "POST", path, body);
  for (;;) {
    const { state } = await ask<{ state: string }>(service, "GET", `../jobs/${id}`);
    if (state === "done") return;
    if (state !== "queued" && state !== "running") throw new Error(`the job at ${path} ended as ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A file as an upload. */
export function fileOf(path: string, name: string): File {
  return new File([readFileSync(path)], name);
}
