/** What a key of scope `read` sees: everything, and nothing that it could change. */

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Page, test as plain } from "@playwright/test";
import { expect, expectAccessible, picture, tiles, watch } from "./fixtures";
import { SCENE_TEMPLATE } from "./scene";
import { ownFolder, type Service, startService } from "./service";
import { ask, work } from "./working";

const BALL = "catalog/BlendSwapCC0-basketball_0.jpg";

/** Buttons that change the collection, by their names. */
const CHANGING =
  /^(find groups|group anew|rename|label|label those shown|save them|look for copies|look again|remove|train on|apply|review|accept|keep (?!all)|undo|start$|make the map|bring it|lay out anew|fetch|choose files|choose a folder|enrol|split|merge|unenrol|forget)/i;
/** What only asks, though it sends something. */
const ASKING = /\/(session|search|explain(\.png)?|recommend|follow|embed|predict)$/;

interface Reading {
  service: Service;
}

const test = plain.extend<{ reading: Page }, Reading>({
  service: [
    async ({}, use) => {
      const folder = ownFolder("service");
      const scene = join(folder, "scene.lookalike");
      cpSync(SCENE_TEMPLATE, scene, { recursive: true });
      const service = await startService({ scope: "read", more: { scene } });
      const admin = { url: service.url, key: service.makeKey("admin") };
      await ask(admin, "PATCH", "sample/items", { [BALL]: { category: "Bathroom" } });
      await work(admin, "sample/clusters", { k: 8, stability: false });
      await work(admin, "sample/map", {});
      await work(admin, "sample/classifiers", { label: "category", method: "prototypes" });
      await work(admin, "sample/review", { label: "category" });
      const copy = new FormData();
      const original = await fetch(`${service.url}/v1/collections/sample/originals/${BALL}`, { headers: { Authorization: `Bearer ${admin.key}` } });
      copy.append("image", await original.blob(), "copy.jpg");
      await ask(admin, "POST", "sample/items", copy);
      await work(admin, "sample/duplicates", { kind: "exact" });
      await ask(admin, "POST", "sample/events", [{ user: "ann", item: BALL, event: "like" }]);
      await use(service);
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: "worker", timeout: 240_000 },
  ],
  reading: async ({ page, service }, use) => {
    const wrong = watch(page, service.url);
    page.on("request", (request) => {
      if (request.method() !== "GET" && !ASKING.test(new URL(request.url()).pathname)) wrong.push(`${request.method()} ${request.url()}`);
    });
    const signedIn = await page.request.post(`${service.url}/v1/session`, { data: { key: service.key } });
    expect(signedIn.ok()).toBe(true);
    await use(page);
    expect(wrong).toEqual([]);
  },
});

/** Buttons on the page that change something: those that can be pressed, and those that cannot, with what they say. */
async function changing(page: Page): Promise<{ enabled: string[]; disabled: string[] }> {
  const found = { enabled: [] as string[], disabled: [] as string[] };
  for (const button of await page.getByRole("button").all()) {
    const name = (await button.getAttribute("aria-label")) ?? (await button.textContent()) ?? "";
    if (!CHANGING.test(name.trim())) continue;
    if (await button.isEnabled()) found.enabled.push(name);
    else found.disabled.push(`${name}: ${await button.getAttribute("title")}`);
  }
  return found;
}

const VIEWS: [path: string, there: string, disabled: number][] = [
  ["/groups?collection=sample", "Group anew", 2],
  ["/groups?collection=sample&group=0", "Rename", 3],
  ["/groups?collection=sample&view=duplicates", "Look again", 2],
  ["/labels?collection=sample&attribute=category", "Review again", 3],
  ["/labels?collection=sample&view=label", "Start", 1],
  ["/labels?collection=sample&view=classifiers&attribute=category", "Apply to items", 3],
  ["/map?collection=sample", "Lay out anew", 1],
  ["/map?collection=scene", "Make the map", 1],
  ["/recommend?collection=sample&user=ann", "Forget this user", 1],
  ["/cameras?collection=scene", "Merge two", 4],
  ["/cameras?collection=scene&view=gallery", "Enrol", 1],
  ["/add?collection=sample", "Fetch", 3],
];

for (const [path, there, least] of VIEWS)
  test(`${path}: what would change something cannot be pressed`, async ({ reading: page, service }) => {
    await page.goto(service.url + path);
    await expect(page.getByRole("button", { name: there, exact: true }).first()).toBeVisible();
    await expect(page.getByText(/has scope read, and this needs write/).first()).toBeVisible();
    const { enabled, disabled } = await changing(page);
    expect(enabled).toEqual([]);
    expect(disabled.length).toBeGreaterThanOrEqual(least);
    for (const said of disabled) expect(said).toMatch(/“browser test” has scope read, and this needs write/);
    await expect(page.locator("input[type=file]:not([disabled])[aria-label^=Choose\\ f]")).toHaveCount(0);
  });

test("keys that would change labels do nothing", async ({ reading: page, service }) => {
  await page.goto(`${service.url}/labels?collection=sample&attribute=category`);
  await expect(page.getByText(/^1 of \d+: /)).toBeVisible();
  await page.keyboard.press("a");
  await page.keyboard.press("k");
  await expect(page.getByText(/^1 of \d+: /)).toBeVisible();
});

test("searching, liking and following are as ever, and the log says whom it is for", async ({ reading: page, service }) => {
  await page.goto(`${service.url}/search?collection=sample&id=${encodeURIComponent(BALL)}`);
  await expect(tiles(page).first()).toBeVisible();
  await tiles(page).first().hover();
  await expect(tiles(page).first().getByRole("button", { name: /^Like/ })).toBeEnabled();
  await page.goto(`${service.url}/recommend?collection=sample`);
  await tiles(page).first().getByRole("button", { name: /^Like/ }).click();
  await expect(page.getByText(/1 liked and 0 disliked/)).toBeVisible();
  await page.goto(`${service.url}/cameras?collection=scene&view=log`);
  await expect(page.getByRole("heading", { name: "The log is for those with the scope admin" })).toBeVisible();
});

test("the service refuses the same, whoever asks past the page", async ({ page, service }) => {
  const collection = `${service.url}/v1/collections/sample`;
  const headers = { Authorization: `Bearer ${service.key}` };
  for (const [method, path, data] of [
    ["POST", "/clusters", {}],
    ["POST", "/clusters/update", undefined],
    ["PATCH", "/items", { [BALL]: { price: 1 } }],
    ["DELETE", `/items/${BALL}`, undefined],
    ["DELETE", "/classifiers/category", undefined],
    ["POST", "/events", [{ user: "ann", item: BALL, event: "like" }]],
  ] as const) {
    const answer = await page.request.fetch(collection + path, { method, headers, ...(data === undefined ? {} : { data }) });
    expect([answer.status(), (await answer.json()).type], `${method} ${path}`).toEqual([403, "/problems/scope"]);
  }
});

test("the reasons are accessible, in light and dark and on a phone", async ({ reading: page, service }) => {
  await page.goto(`${service.url}/add?collection=sample`);
  await expect(page.getByText(/has scope read, and this needs write/)).toBeVisible();
  await expectAccessible(page);
  await picture(page, "read-only-add");
  await page.goto(`${service.url}/groups?collection=sample`);
  await expect(page.getByRole("list", { name: "Groups" })).toBeVisible();
  await expectAccessible(page);
  await picture(page, "read-only-groups");
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await picture(page, "read-only-phone");
});
