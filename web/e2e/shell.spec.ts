import { test as plain } from "@playwright/test";
import { expect, expectAccessible, PHOTO, picture, test, tiles, watch } from "./fixtures";
import { startService } from "./service";

plain("a service with keys asks for one, refuses a wrong one, and goes on with the right one", async ({ page }) => {
  const service = await startService({ scope: "read" });
  try {
    const wrong = watch(page, service.url);
    await page.goto(`${service.url}/search?text=chair`);
    const dialog = page.getByRole("dialog", { name: "Sign in" });
    await expect(dialog).toBeVisible();
    await expectAccessible(page);
    await picture(page, "sign-in");
    await dialog.getByLabel("API key").fill("lk_000000000000_wrong");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await expect(dialog.getByText(/The key was not accepted/)).toBeVisible();
    await dialog.getByLabel("API key").fill(service.key ?? "");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await expect(dialog).toHaveCount(0);
    await expect(tiles(page).first()).toContainText(/chair/i);
    await page.reload();
    await expect(tiles(page).first()).toContainText(/chair/i);
    expect(await page.evaluate(() => document.cookie)).toBe("");
    expect(wrong).toEqual([]);
  } finally {
    await service.stop();
  }
});

plain("signing out forgets the key, the likes and the photos", async ({ page }) => {
  const service = await startService({ scope: "read" });
  try {
    const wrong = watch(page, service.url);
    await page.goto(`${service.url}/search`);
    const dialog = page.getByRole("dialog", { name: "Sign in" });
    await dialog.getByLabel("API key").fill(service.key ?? "");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await expect(tiles(page).first()).toBeVisible();
    await page.getByLabel("Choose a photo").setInputFiles(PHOTO);
    await expect(page.getByTestId("summary")).toContainText("match");
    await tiles(page).first().hover();
    await tiles(page).first().getByRole("button", { name: /^Like/ }).click();
    const address = page.url();
    await picture(page, "signed-in");
    await page.getByRole("button", { name: "Sign out (browser test, read)" }).click();
    await expect(dialog).toBeVisible();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    expect((await page.request.get(`${service.url}/v1/collections`)).status()).toBe(401);
    await dialog.getByLabel("API key").fill(service.key ?? "");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await expect(tiles(page).first()).toBeVisible();
    await page.goto(address);
    await expect(page.getByRole("heading", { name: "The photo is gone" })).toBeVisible();
    expect(wrong).toEqual([]);
  } finally {
    await service.stop();
  }
});

test("without keys there is nothing to sign out of", async ({ page, open }) => {
  const asked = page.waitForResponse("**/v1/session");
  await open("/search");
  expect((await (await asked).json()).key_needed).toBe(false);
  await expect(tiles(page).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Sign out/ })).toHaveCount(0);
});

test("a lost connection is said, and the page goes on by itself when it is back", async ({ page, open, context }) => {
  await open("/search");
  await expect(tiles(page).first()).toBeVisible();
  await context.setOffline(true);
  await page.getByRole("group", { name: "category" }).getByLabel("Kitchen").check();
  await expect(page.getByText(/Connection lost/)).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText(/Connection lost/)).toHaveCount(0, { timeout: 15_000 });
  await expect(page.getByTestId("summary")).toContainText(/^36 of/);
});

test("a busy service is asked again when it says so", async ({ page, open }) => {
  let refused = 0;
  await page.route("**/v1/collections/sample/search", async (route) => {
    if (refused++ < 2) {
      const body = JSON.stringify({ type: "/problems/busy", title: "busy", status: 503, detail: "too many requests" });
      await route.fulfill({ status: 503, headers: { "Retry-After": "1", "Content-Type": "application/problem+json" }, body });
    } else await route.continue();
  });
  await open("/search?text=chair");
  await expect(page.getByText(/The service is busy/)).toBeVisible();
  await expect(tiles(page).first()).toContainText(/chair/i);
  expect(refused).toBeGreaterThanOrEqual(3);
});

test("an unknown collection is said, with the way to one that is there", async ({ page, open }) => {
  await open("/search?collection=nothing");
  await expect(page.getByRole("alert")).toContainText("nothing");
  await page.getByRole("link", { name: "Open sample" }).click();
  await expect(tiles(page).first()).toBeVisible();
});

test("the theme can be chosen and stays", async ({ page, open }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open("/search");
  const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await colour();
  await page.getByRole("button", { name: /Switch to light/ }).click();
  await page.getByRole("button", { name: /Switch to dark/ }).click();
  const dark = await colour();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await colour()).toBe(dark);
});

test("the reference of the service is served from its own origin", async ({ page, open }) => {
  await open("/docs");
  await expect(page.getByText("/v1/collections/{collection}/search")).toBeVisible({ timeout: 20_000 });
});
