import { readFileSync } from "node:fs";
import { ask, expect, expectAccessible, type Page, picture, test } from "./working";

const stage = (page: Page) => page.getByRole("application");
const pictures = (page: Page) => page.locator(".map-picture");

test.use({ specs: "map" });
test.describe.configure({ mode: "serial" });

test("a collection without a map gets one by a button, with progress", async ({ page, open }) => {
  await open("/map?collection=sample");
  await expect(page.getByRole("heading", { name: "There is no map yet" })).toBeVisible();
  await picture(page, "map-none");
  await page.getByRole("button", { name: "Make the map" }).click();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  await expect(stage(page)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("heading", { name: "330 in view" })).toBeVisible();
});

test("pictures are coloured by an attribute and its values are switched on and off", async ({ page, open }) => {
  await open("/map?collection=sample");
  await page.getByLabel("Colour by").selectOption("category");
  await expect(page).toHaveURL(/colour=category/);
  const legend = page.getByRole("region", { name: "Legend" });
  await legend.getByRole("checkbox", { name: /^Kitchen/ }).uncheck();
  await expect(page.getByRole("heading", { name: "294 in view" })).toBeVisible();
  await legend.getByRole("button", { name: "Show only Kitchen" }).click();
  await expect(page.getByRole("heading", { name: "36 in view" })).toBeVisible();
  await legend.getByRole("button", { name: "Show everything" }).click();
  await page.getByLabel("Colour by").selectOption("price");
  await expect(legend.locator(".map-scale-bar")).toBeVisible();
  await picture(page, "map-number");
});

test("what is drawn around is selected, labelled and exported", async ({ page, open, service }) => {
  await open("/map?collection=sample&colour=category");
  await expect(pictures(page).first()).toBeVisible();
  await page.getByRole("radio", { name: "Box" }).check({ force: true });
  const box = (await stage(page).boundingBox())!;
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 });
  await expect(page.locator(".map-shape")).toBeVisible();
  await page.mouse.move(box.x + box.width - 3, box.y + box.height - 3, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByRole("heading", { name: "330 selected" })).toBeVisible();
  await picture(page, "map-selected");

  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  const lines = readFileSync(await file.path(), "utf8").trim().split("\r\n");
  expect(lines[0]).toContain("id,");
  expect(lines).toHaveLength(331);

  await page.getByRole("radio", { name: "Lasso" }).check({ force: true });
  await page.mouse.move(box.x + box.width / 2, box.y + 4);
  await page.mouse.down();
  for (const [x, y] of [[box.width - 4, box.height / 2], [box.width / 2, box.height - 4], [4, box.height / 2], [box.width / 2, 4]] as const)
    await page.mouse.move(box.x + x, box.y + y, { steps: 12 });
  await page.mouse.up();
  const heading = page.getByRole("heading", { name: / selected$/ });
  await expect(heading).not.toHaveText("330 selected");
  const count = Number.parseInt((await heading.textContent())!, 10);
  expect(count).toBeGreaterThan(20);

  await page.getByRole("button", { name: "Label", exact: true }).click();
  await page.getByLabel("Attribute").fill("part");
  await page.getByLabel("Value").fill("inner <b>");
  await page.getByRole("dialog").getByRole("button", { name: "Label" }).click();
  await expect(page.getByText(`${count} items have part inner <b> now`)).toBeVisible();
  await expect(page).toHaveURL(/colour=part/);
  await expect(page.getByRole("region", { name: "Legend" }).getByText("inner <b>")).toBeVisible();
  const { facets } = await ask<{ facets: { part: { values: { value: string; count: number }[] } } }>(service, "GET", "sample/facets?attributes=part");
  expect(facets.part.values).toEqual([{ value: "inner <b>", count }]);
});

test("a picture is pointed at, found by words, and searched for", async ({ page, open }) => {
  await open("/map?collection=sample&colour=category");
  await expect(pictures(page).first()).toBeVisible();
  await page.getByLabel("Find", { exact: true }).fill("basketball");
  await page.getByRole("button", { name: /^Select \d+ found/ }).click();
  const entries = page.getByRole("region", { name: "Selected pictures" }).getByRole("listitem");
  await expect(entries.first()).toBeVisible();
  await page.waitForTimeout(600);
  await entries.first().getByRole("button").first().click();
  await expect(page.locator(".map-card")).toContainText("basketball");
  await picture(page, "map-found");
  await entries.first().getByRole("link", { name: /^Search similar to/ }).click();
  await expect(page).toHaveURL(/\/search\?.*id=catalog/);
});

test("the map is worked by keyboard alone", async ({ page, open }) => {
  await open("/map?collection=sample&colour=category");
  await expect(pictures(page).first()).toBeVisible();
  await stage(page).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".map-card")).toBeVisible();
  const first = await page.locator(".map-card strong").textContent();
  for (const key of ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"]) {
    await page.keyboard.press(key);
    if ((await page.locator(".map-card strong").textContent()) !== first) break;
  }
  await expect(page.locator(".map-card strong")).not.toHaveText(first!);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "1 selected" })).toBeVisible();
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect(page.getByRole("heading", { name: "1 selected" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: /in view$/ })).not.toHaveText("330 in view");
  await page.keyboard.press("0");
  await expect(page.getByRole("heading", { name: "330 in view" })).toBeVisible();
});

test("what a wheel zooms at stays in place, and dragging moves the map", async ({ page, open }) => {
  await open("/map?collection=sample&colour=category");
  await expect(pictures(page).first()).toBeVisible();
  const box = (await stage(page).boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -600);
  await expect(page.getByRole("heading", { name: /in view$/ })).not.toHaveText("330 in view");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 3, box.y, { steps: 6 });
  await page.mouse.up();
  await expect(page.getByRole("heading", { name: "0 in view" })).toBeVisible();
  await page.getByRole("button", { name: "Fit" }).click();
  await expect(page.getByRole("heading", { name: "330 in view" })).toBeVisible();
});

test("axe finds nothing serious; light, dark and on a phone", async ({ page, open }) => {
  await open("/map?collection=sample&colour=category");
  await expect(pictures(page).first()).toBeVisible();
  await expectAccessible(page);
  await picture(page, "map");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "map-dark");
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await picture(page, "map-phone");
});
