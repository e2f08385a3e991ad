import type { Service } from "./service";
import { ask, expect, expectAccessible, picture, test } from "./working";

test.use({ specs: "labels" });
test.describe.configure({ mode: "serial" });

const categoryOf = async (service: Service, id: string) =>
  (await ask<{ attributes: { category: string | null } }>(service, "GET", `sample/items/${id}`)).attributes.category;

test("likely errors are reviewed by keys: accept, keep, undo", async ({ page, open, service }) => {
  const { items } = await ask<{ items: { id: string }[] }>(service, "GET", `sample/items?limit=6&where=${encodeURIComponent('category = "Vehicles"')}`);
  await ask(service, "PATCH", "sample/items", Object.fromEntries(items.slice(0, 3).map(({ id }) => [id, { category: "Bathroom" }])));
  await open("/labels?collection=sample");
  await page.getByRole("button", { name: "Review category" }).click();
  await expect(page.getByRole("heading", { name: /labels are likely wrong$/ })).toBeVisible({ timeout: 60_000 });
  const strip = page.getByRole("list", { name: "All likely errors" }).getByRole("listitem");
  const count = await strip.count();
  expect(count).toBeGreaterThanOrEqual(2);
  const position = page.getByText(/^1 of \d+: /);
  const id = (await position.textContent())!.split(": ")[1]!;
  const before = await categoryOf(service, id);
  const suggested = await page.locator(".review-suggested").textContent();
  await page.locator(".review-picture").evaluate((image: HTMLImageElement) => image.decode());
  await picture(page, "labels-review");
  await page.keyboard.press("a");
  await expect(page.getByText(/^2 of \d+: /)).toBeVisible();
  await expect.poll(() => categoryOf(service, id)).toBe(suggested);
  await page.keyboard.press("u");
  await expect.poll(() => categoryOf(service, id)).toBe(before);
  await page.keyboard.press("k");
  for (let at = 1; at < count; at++) await page.keyboard.press("a");
  await expect(page.getByRole("heading", { name: "All were looked at" })).toBeVisible();
  expect(await categoryOf(service, id)).toBe(before);
});

test("pictures are labelled one by one with digits; undo, skip, a new class, and batches that are saved", async ({ page, open, service }) => {
  await open("/labels?collection=sample");
  await page.getByLabel("Attribute that holds the labels").selectOption({ label: "a new one…" });
  await page.getByRole("textbox", { name: "Name" }).fill("style");
  await page.getByRole("button", { name: "Start labelling" }).click();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.locator(".review-picture")).toBeVisible();
  await page.keyboard.press("0");
  await page.getByLabel("New class").fill("plain");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^2 of 40: /)).toBeVisible();
  await page.keyboard.press("n");
  await page.getByLabel("New class").fill("ornate");
  await page.keyboard.press("Enter");
  await page.keyboard.press("s");
  await page.keyboard.press("1");
  await expect(page.getByText(/^5 of 40: /)).toBeVisible();
  await page.keyboard.press("u");
  await expect(page.getByText(/^4 of 40: /)).toBeVisible();
  for (const key of ["2", "1", "2", "1", "2", "1"]) await page.keyboard.press(key);
  await page.locator(".review-picture").evaluate((image: HTMLImageElement) => image.decode());
  await picture(page, "labels-one-by-one");
  await expect(page.getByText("8 saved")).toBeVisible();
  const { facets } = await ask<{ facets: { style: { values: { value: string; count: number }[] } } }>(service, "GET", "sample/facets?attributes=style");
  expect(Object.fromEntries(facets.style.values.map(({ value, count }) => [value, count]))).toEqual({ plain: 4, ornate: 4 });
  await page.getByRole("button", { name: "Finish" }).click();
  await expect(page.getByText("8 labels are saved")).toBeVisible();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.getByText(/^Likeliest so far: /)).toBeVisible({ timeout: 60_000 });
});

test("a classifier is trained, reported on, applied and removed", async ({ page, open }) => {
  await open("/labels?collection=sample&view=classifiers&attribute=category");
  await expect(page.getByRole("heading", { name: "Nothing was trained yet" })).toBeVisible();
  await page.getByLabel("Keep together").selectOption("product");
  await page.getByRole("button", { name: "Train on category" }).click();
  await expect(page.getByRole("img", { name: /^Confusion matrix of 9 classes/ })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("row", { name: /^Kitchen/ })).toBeVisible();
  await picture(page, "classifier");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Apply to items" }).click();
  await page.getByRole("checkbox", { name: "Only items without category" }).uncheck();
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await expect(page.getByRole("dialog")).toContainText("330 items have a label under category_predicted", { timeout: 60_000 });
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: "Remove the classifier category" }).click();
  await expect(page.getByRole("heading", { name: "Nothing was trained yet" })).toBeVisible();
});

test("axe finds nothing serious; dark and on a phone", async ({ page, open }) => {
  await open("/labels?collection=sample&attribute=category");
  await expect(page.getByRole("heading", { name: /labels are likely wrong$|were not reviewed yet$/ })).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "labels-review-dark");
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await picture(page, "labels-phone");
});
