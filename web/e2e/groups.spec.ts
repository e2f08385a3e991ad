import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SAMPLE } from "./service";
import { ask, expect, expectAccessible, fileOf, picture, test, tiles } from "./working";

test.use({ specs: "groups" });
test.describe.configure({ mode: "serial" });

test("groups are found by a job, and one opens with all its pictures", async ({ page, open }) => {
  await open("/groups?collection=sample");
  await expect(page.getByRole("heading", { name: "Nothing is grouped yet" })).toBeVisible();
  await page.getByLabel("Size of groups").selectOption("coarse");
  await page.getByRole("button", { name: "Find groups" }).click();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  const groups = page.getByRole("list", { name: "Groups" }).getByRole("listitem");
  await expect(groups.first()).toBeVisible({ timeout: 60_000 });
  await picture(page, "groups");
  const size = Number.parseInt((await groups.first().locator(".count").textContent())!, 10);
  await groups.first().getByRole("button").click();
  await expect(tiles(page)).toHaveCount(Math.min(size, 60));
  await picture(page, "groups-open");
});

test("a group is renamed and found by its name", async ({ page, open }) => {
  await open("/groups?collection=sample");
  await page.getByRole("list", { name: "Groups" }).getByRole("button").first().click();
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("oak <i>things");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("heading", { name: "oak <i>things" })).toBeVisible();
  await page.getByRole("button", { name: "All groups" }).click();
  await page.getByLabel("Find a group").fill("oak");
  await expect(page.getByRole("list", { name: "Groups" }).getByRole("listitem")).toHaveCount(1);
});

test("newer pictures are shown in the groups that they fit, and saved there when somebody says so", async ({ page, open, service }) => {
  const form = new FormData();
  form.append("image", fileOf(join(SAMPLE, "catalog/BlendSwapCC0-basketball_0.jpg"), "newer.jpg"));
  form.append("prefix", "newer");
  await ask(service, "POST", "sample/items", form);
  await open("/groups?collection=sample");
  await expect(page.getByText(/^1 newer picture is shown where it belongs/)).toBeVisible();
  await picture(page, "groups-newer");
  await page.getByRole("button", { name: "Save them in their groups" }).click();
  await expect(page.getByText(/newer picture/).first()).toBeHidden();
  expect((await ask<{ unsaved: number; assigned: number }>(service, "GET", "sample/clusters")).unsaved).toBe(0);
  await ask(service, "DELETE", "sample/items/newer/newer.jpg");
});

test("grouping can be cancelled, and the groups there were stay", async ({ page, open, service }) => {
  await open("/groups?collection=sample");
  await expect(page.getByRole("list", { name: "Groups" })).toBeVisible();
  const before = await page.getByRole("heading", { name: /groups$/ }).textContent();
  // The request that starts the job is held back: cancelled before the job is known, it is cancelled once it is.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/v1/collections/sample/clusters", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await page.getByRole("button", { name: "Group anew" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await ask(service, "POST", "sample/map", {}); // the collection is at work, so that grouping waits and is not done first
  release();
  await expect(page.getByRole("button", { name: "Group anew" })).toBeEnabled();
  await expect
    .poll(async () => (await (await page.request.get(`${service.url}/v1/jobs?collection=sample`)).json()).jobs.map((job: { state: string }) => job.state))
    .toContain("cancelled");
  await page.reload();
  await expect(page.getByRole("heading", { name: before! })).toBeVisible();
});

test("copies are found, chosen picture by picture, and removed after a question with their number", async ({ page, open, service }) => {
  const form = new FormData();
  for (const name of ["BlendSwapCC0-basketball_0.jpg", "BlendSwapCC0-basketball_1.jpg"])
    form.append("image", new File([readFileSync(join(SAMPLE, "catalog", name))], name, { type: "image/jpeg" }));
  form.append("prefix", "copies");
  await ask(service, "POST", "sample/items", form);
  await open("/groups?collection=sample&view=duplicates");
  await expect(page.getByRole("heading", { name: "Copies were not looked for yet" })).toBeVisible();
  await page.getByRole("button", { name: "Look for copies" }).click();
  await expect(page.getByRole("heading", { name: "2 groups of copies" })).toBeVisible({ timeout: 60_000 });
  await picture(page, "duplicates");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Keep all" }).first().click();
  await page.getByRole("button", { name: "Remove 1" }).click();
  const dialog = page.getByRole("dialog", { name: "Remove 1 copy?" });
  await expect(dialog).toContainText("there is no undo");
  await dialog.getByRole("button", { name: "Remove 1" }).click();
  await expect(page.getByText("1 copy was removed")).toBeVisible();
  await expect(page.getByRole("heading", { name: "1 group of copies" })).toBeVisible();
  expect((await ask<{ items: number }>(service, "GET", "sample")).items).toBe(331);
});

test("axe finds nothing serious; light, dark and on a phone", async ({ page, open }) => {
  await open("/groups?collection=sample");
  await expect(page.getByRole("list", { name: "Groups" })).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "groups-dark");
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await picture(page, "groups-phone");
});
