import { readFileSync } from "node:fs";
import { BALL, expect, expectAccessible, OTHER_PHOTO, type Page, PHOTO, picture, test, tiles } from "./fixtures";

test.use({ specs: "search" });

const summary = (page: Page) => page.getByTestId("summary");
const choosePhoto = (page: Page, ...paths: string[]) => page.getByLabel("Choose a photo").setInputFiles(paths);
const paramsOf = (page: Page) => new URL(page.url()).searchParams;

async function searched(page: Page): Promise<void> {
  await expect(summary(page)).toContainText("match");
  await expect(tiles(page).first()).toBeVisible();
}

async function paste(page: Page, path: string): Promise<void> {
  await page.evaluate((base64) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, readFileSync(path).toString("base64"));
}

test("the journey: upload, crop, filter, similar, like, recommend", async ({ page, open }) => {
  await open("/");
  await expect(summary(page)).toContainText(/of 3\d\d items/);
  await choosePhoto(page, PHOTO);
  await searched(page);
  await expect(tiles(page).first()).toContainText("Bed");
  await picture(page, "search");

  const photo = page.getByAltText(/^Query:/);
  const box = await photo.boundingBox();
  if (!box) throw new Error("the query's picture is not on the screen");
  await page.mouse.move(box.x + box.width * 0.1, box.y + box.height * 0.1);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height * 0.9, { steps: 5 });
  await page.mouse.up();
  await expect.poll(() => paramsOf(page).get("crop")).toMatch(/^0\.1/);
  await expect(page.getByRole("group", { name: /^Crop/ })).toBeVisible();
  await searched(page);
  await picture(page, "search-crop");

  await page.getByRole("group", { name: "category" }).getByLabel("Bedroom").check();
  await expect(page.getByRole("list", { name: "Filters that are set" })).toContainText("category: Bedroom");
  await expect(tiles(page).first()).toContainText("Bedroom");
  expect(paramsOf(page).get("f.category")).toBe("Bedroom");

  await tiles(page).first().hover();
  await tiles(page).first().getByRole("button", { name: /^Similar to/ }).click();
  await expect.poll(() => paramsOf(page).get("id")).toMatch(/^catalog\//);
  expect(paramsOf(page).get("f.category")).toBe("Bedroom");
  await searched(page);

  await tiles(page).first().hover();
  await tiles(page).first().getByRole("button", { name: /^Like/ }).click();
  await expect(page.getByText(/^Liked\./)).toBeVisible();
  await page.getByRole("link", { name: "Recommend" }).click();
  await expect(page.getByText("1 interest from 1 liked and 0 disliked.")).toBeVisible();
  await expect(tiles(page).first()).toContainText(/Because you liked .* similarity 0\.\d\d/);
});

test("an address with a photo survives reload, back and forward", async ({ page, open }) => {
  await open("/search");
  await choosePhoto(page, PHOTO);
  await searched(page);
  const withPhoto = page.url();
  await page.getByLabel("One of each").selectOption("product");
  await expect.poll(() => paramsOf(page).get("group_by")).toBe("product");
  await page.reload();
  await searched(page);
  await expect(page.getByAltText(/^Query:/)).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(withPhoto);
  await page.goBack();
  await expect(summary(page)).toContainText(/of 3\d\d items/);
  await page.goForward();
  await searched(page);
});

test("a photo that this browser does not have is said to be gone", async ({ page, open }) => {
  await open("/search?photo=0123456789abcdef0123456789abcdef");
  await expect(page.getByRole("heading", { name: "The photo is gone" })).toBeVisible();
  await page.getByRole("button", { name: "Remove it" }).click();
  await expect(summary(page)).toContainText(/of 3\d\d items/);
});

test("a picture pasted on any page is searched with", async ({ page, open }) => {
  await open("/add");
  await expect(page.getByRole("heading", { name: /^Add to/ })).toBeVisible();
  await paste(page, OTHER_PHOTO);
  await searched(page);
  await expect(tiles(page).first()).toContainText("Basketball");
});

test("not like this: results move away from a negative", async ({ page, open }) => {
  await open(`/search?id=${encodeURIComponent(BALL)}`);
  await searched(page);
  const first = await tiles(page).first().getByRole("img").first().getAttribute("src");
  await tiles(page).first().hover();
  await tiles(page).first().getByRole("button", { name: /^Not like/ }).click();
  await expect(page.getByRole("list", { name: "Not like these" }).getByRole("listitem")).toHaveCount(1);
  await expect(tiles(page).first().getByRole("img").first()).not.toHaveAttribute("src", first ?? "");
  await page.getByRole("button", { name: /^Remove catalog/ }).click();
  await expect(tiles(page).first().getByRole("img").first()).toHaveAttribute("src", first ?? "");
});

test("facets: several values, a range, a truth value and an expression narrow the items", async ({ page, open }) => {
  await open("/search");
  const category = page.getByRole("group", { name: "category" });
  await category.getByLabel("Kitchen").check();
  await expect(summary(page)).toContainText(/^36 of/);
  await category.getByLabel("Office").check();
  await expect(summary(page)).toContainText(/^48\+ of/);
  await expect(category.getByLabel("Vehicles")).toBeVisible();

  await page.locator("summary", { hasText: /^price$/ }).click();
  const price = page.getByRole("group", { name: "price" });
  await price.getByLabel("To", { exact: true }).fill("50");
  await price.getByLabel("To", { exact: true }).press("Enter");
  await expect(page.getByRole("list", { name: "Filters that are set" })).toContainText("price … – 50");
  await page.getByRole("button", { name: "Remove category: Office" }).click();
  await expect.poll(() => paramsOf(page).getAll("f.category")).toEqual(["Kitchen"]);

  await page.locator("summary", { hasText: "Filter expression" }).click();
  const expression = page.getByRole("textbox", { name: "Filter expression" });
  await expression.fill("price << 3");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(/expected a number, text in quotes/)).toBeVisible();
  await expect(page.locator("mark")).toHaveText("<");
  await expression.fill("in_stock");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(/expected a number, text in quotes/)).toHaveCount(0);
  await page.getByRole("button", { name: "Clear all" }).click();
  await expect(summary(page)).toContainText(/of 3\d\d items/);
});

test("the strength slider cuts weak matches and says how many", async ({ page, open }) => {
  await open(`/search?id=${encodeURIComponent(BALL)}`);
  await searched(page);
  const before = await tiles(page).count();
  const slider = page.getByLabel("Strength at least");
  await slider.fill("0.9");
  await expect(summary(page)).toContainText("weaker hidden");
  expect(await tiles(page).count()).toBeLessThan(before);
  for (const text of await page.locator("[data-tile] .strength-number").allTextContents()) expect(Number.parseInt(text.replace(/\D/g, ""), 10)).toBeGreaterThanOrEqual(90);
  expect(paramsOf(page).get("cut")).toBe("0.9");
});

test("more results come at the end of the list, up to all of them", async ({ page, open }) => {
  await open("/search");
  await expect(tiles(page)).toHaveCount(48);
  await page.mouse.wheel(0, 20_000);
  await expect.poll(() => tiles(page).count()).toBeGreaterThan(48);
});

test("why similar: the heat-maps of both pictures, for items and for a photo", async ({ page, open }) => {
  await open(`/search?id=${encodeURIComponent(BALL)}`);
  await searched(page);
  await tiles(page).first().hover();
  await tiles(page).first().getByRole("button", { name: /^Why/ }).click();
  await expect(page.getByRole("dialog").getByRole("img", { name: /^Heat-maps/ })).toBeVisible();
  await expect(page.getByRole("dialog")).toContainText("Similarity 0.9");
  await picture(page, "search-why");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await choosePhoto(page, OTHER_PHOTO);
  await searched(page);
  await tiles(page).first().hover();
  await tiles(page).first().getByRole("button", { name: /^Why/ }).click();
  await expect(page.getByRole("dialog").getByRole("img", { name: /^Heat-maps/ })).toBeVisible();
});

test("everything works by keys alone", async ({ page, open }) => {
  await open("/search");
  await expect(tiles(page).first()).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("chair");
  await page.keyboard.press("Enter");
  await expect.poll(() => paramsOf(page).get("text")).toBe("chair");
  await expect(tiles(page).first()).toContainText(/chair/i);

  const open1 = page.locator("[data-tile-open]");
  await open1.first().focus();
  await page.keyboard.press("ArrowRight");
  await expect(open1.nth(1)).toBeFocused();
  await page.keyboard.press("l");
  await expect(tiles(page).nth(1).getByRole("button", { name: /^Like/ })).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(open1.nth(1)).toBeFocused();
  await page.keyboard.press("s");
  await searched(page);
  expect(paramsOf(page).get("id")).toMatch(/^catalog\//);

  await page.getByRole("button", { name: "Crop", exact: true }).focus();
  await page.keyboard.press("Enter");
  const crop = page.getByRole("group", { name: /^Crop/ });
  await crop.focus();
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => paramsOf(page).get("crop")).toBe("0.18,0.2,0.6,0.6");
  await page.keyboard.press("Shift+ArrowUp");
  await expect.poll(() => paramsOf(page).get("crop")).toBe("0.18,0.2,0.6,0.58");
  await page.keyboard.press("Delete");
  await expect.poll(() => paramsOf(page).get("crop")).toBeNull();
});

test("what users wrote is shown as text, never run", async ({ page, open, service }) => {
  const evil = "<img src=x onerror=\"document.title='run'\">";
  const id = "catalog/BlendSwapCC0-box_0.jpg";
  const before = await (await page.request.get(`${service.url}/v1/collections/sample/items/${id}`)).json();
  const set = (name: unknown) => page.request.patch(`${service.url}/v1/collections/sample/items`, { data: { [id]: { name } }, headers: { Origin: service.url } });
  expect((await set(evil)).ok()).toBe(true);
  await open(`/search?open=${encodeURIComponent(id)}&where=${encodeURIComponent('id starts with "catalog/BlendSwapCC0-box"')}`);
  await expect(page.getByRole("dialog")).toContainText(evil);
  await page.keyboard.press("Escape");
  await expect(tiles(page).first()).toContainText(evil);
  expect(await page.locator("img[src='x']").count()).toBe(0);
  expect(await page.title()).not.toBe("run");
  await set(before.attributes.name);
});

test("on a phone", async ({ browser, service }) => {
  test.slow();
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(`${service.url}/search`);
  await expect(page.getByRole("button", { name: "Take a photo" })).toBeVisible();
  await expect(page.locator("input[capture=environment]")).toHaveCount(1);
  await choosePhoto(page, PHOTO);
  await searched(page);
  await page.getByRole("button", { name: /^Filters and options/ }).tap();
  await page.getByRole("group", { name: "category" }).getByLabel("Bedroom").check();
  await page.getByRole("button", { name: /^Filters and options \(1\)/ }).tap();
  await expect(tiles(page).first()).toContainText("Bedroom");
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider).toBeLessThanOrEqual(0);
  await page.evaluate(() => window.scrollTo(0, 0));
  await picture(page, "search-phone");
  await expectAccessible(page);
  await context.close();
});

test("axe finds nothing serious: browsing, results, details", async ({ page, open }) => {
  test.slow();
  await open("/search?f.category=Kitchen&f.in_stock=false");
  await expect(tiles(page).first()).toBeVisible();
  await expectAccessible(page);
  await open(`/search?id=${encodeURIComponent(BALL)}&crop=0.2,0.2,0.6,0.6&f.category=Miscellaneous&f.price=10..500&regions=pooled`);
  await searched(page);
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "search-dark");
  await tiles(page).first().locator("[data-tile-open]").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectAccessible(page);
});

test("a search may compare with every item, and says so in the address", async ({ page, open }) => {
  await open(`/search?id=${encodeURIComponent(BALL)}`);
  await searched(page);
  await page.getByText("Search options").click();
  const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/search"));
  await page.getByLabel("Recall").selectOption({ label: "Exactly: every item is compared" });
  expect((await asked).postDataJSON().recall).toBe(1);
  await searched(page);
  expect(paramsOf(page).get("recall")).toBe("1");
  await page.reload();
  await expect(page.getByLabel("Recall")).toHaveValue("1");
});
