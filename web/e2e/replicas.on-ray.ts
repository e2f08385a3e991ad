/** The page of a service on Ray, of which replicas are killed while somebody uses it. */

import { type BrowserContext, test } from "@playwright/test";
import { BALL, expect, type Page, PHOTO, tiles, watch } from "./fixtures";

const COLLECTION = "/v1/collections/shop";
const given = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this by tests/scale/test_ray_serve_page.py`);
  return value;
};
const URL_OF_SERVICE = given("LOOKALIKE_URL");
const KEY = given("LOOKALIKE_KEY");
const PIDS = given("LOOKALIKE_REPLICAS").split(",").map(Number);
const ENCODER = Number(given("LOOKALIKE_ENCODER"));

/** What a page that notices nothing never gets or shows. Returns what went wrong so far. */
function watchClosely(page: Page): string[] {
  const wrong = watch(page, URL_OF_SERVICE);
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} for ${response.request().method()} ${response.url()}`);
  });
  page.on("requestfailed", (request) => {
    // The page itself gives up what it does not want any more.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") wrong.push(`${request.failure()?.errorText} for ${request.url()}`);
  });
  return wrong;
}

/** Watch what all tabs say: banners, errors, alerts, however short they are there. Returns what it said so far. */
async function watchScreen(context: BrowserContext): Promise<Set<string>> {
  const said = new Set<string>();
  await context.exposeFunction("noteWhatIsSaid", (text: string) => said.add(text));
  await context.addInitScript(() => {
    const { noteWhatIsSaid } = window as unknown as { noteWhatIsSaid: (text: string) => void };
    const look = () => {
      for (const each of document.querySelectorAll(".banner, .state-error, [role=alert]")) {
        const text = each.textContent?.trim();
        if (text) noteWhatIsSaid(text);
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  });
  return said;
}

/** The replicas that answer, by their names. */
async function answering(): Promise<Set<string>> {
  const names = new Set<string>();
  for (let asked = 0; asked < 30; asked++) {
    const answer = await fetch(`${URL_OF_SERVICE}${COLLECTION}`, { headers: { Authorization: `Bearer ${KEY}` } });
    names.add(answer.headers.get("X-Served-By") ?? "");
  }
  return names;
}

async function go(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
}

/** What somebody does: a photo, a filter, its look-alikes, an item, a like, other pages; ends where it began. */
async function use(page: Page, round: number): Promise<void> {
  await go(page, "Search");
  await searchPhoto(page);
  const category = page.getByRole("group", { name: "category" });
  await category.getByLabel(round % 2 ? "Bedroom" : "Living room").check();
  await expect(page.getByRole("list", { name: "Filters that are set" })).toBeVisible();
  await tiles(page).first().hover();
  await tiles(page).first().getByRole("button", { name: /^Similar to/ }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("id")).toMatch(/^catalog\//);
  await expect(page.getByTestId("summary")).toContainText("match");
  await page.goto(`${URL_OF_SERVICE}/search?collection=shop&id=${encodeURIComponent(BALL)}&f.category=Kitchen`);
  await expect(tiles(page).first()).toBeVisible();
  await go(page, "Recommend");
  await expect(tiles(page).first()).toBeVisible();
  await tiles(page).nth(round).getByRole("button", { name: /^(Like|Liked|Take)/ }).first().click();
  await expect(page.getByText(/interests? from \d+ liked/)).toBeVisible();
  await go(page, "Map");
  await expect(page.getByRole("application")).toBeVisible();
  await go(page, "Groups");
  await expect(page.getByRole("list", { name: "Groups" }).getByRole("listitem").first()).toBeVisible();
  const whole = () => Array.from(document.images).every((image) => image.loading === "lazy" || (image.complete && image.naturalWidth > 0));
  await page.waitForFunction(whole);
}

/** Search for a photo; the answer is there when this ends. */
async function searchPhoto(page: Page): Promise<void> {
  await page.getByLabel("Choose a photo").setInputFiles(PHOTO);
  await expect(page.getByTestId("summary")).toContainText("match");
  await expect(tiles(page).first()).toContainText("Bed");
}

/**
 * Kill a replica that is at work for the page: all tabs search for a photo while the encoder is halted, so that each replica
 * has some of them when it dies. (Of one that is killed before it takes a request, Ray itself asks another.)
 */
async function killBusy(pid: number, tabs: Page[]): Promise<void> {
  for (const tab of tabs) await tab.goto(`${URL_OF_SERVICE}/search`);
  for (const tab of tabs) await expect(tiles(tab).first()).toBeVisible();
  process.kill(ENCODER, "SIGSTOP");
  try {
    const sent = tabs.map((tab) => tab.waitForRequest((request) => request.url().endsWith("/search") && request.method() === "POST"));
    const found = tabs.map(searchPhoto);
    await Promise.all(sent);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    process.kill(pid, "SIGKILL");
    process.kill(ENCODER, "SIGCONT");
    await Promise.all(found);
  } finally {
    process.kill(ENCODER, "SIGCONT");
  }
}

test("somebody who uses the page does not notice that one replica after the other is killed", async ({ page, context }) => {
  const said = await watchScreen(context);
  await page.goto(`${URL_OF_SERVICE}/search`);
  await page.getByRole("dialog", { name: "Sign in" }).getByLabel("API key").fill(KEY);
  await page.getByRole("dialog", { name: "Sign in" }).getByRole("button", { name: "Sign in" }).click();
  await expect(tiles(page).first()).toBeVisible();
  const tabs = [page, ...(await Promise.all([1, 2, 3].map(() => context.newPage())))];
  const wrong = tabs.map(watchClosely); // from here on: who is not signed in is told so, with 401
  await use(page, 0);

  let round = 0;
  for (const pid of PIDS) {
    const before = await answering();
    expect(before.size).toBe(PIDS.length);
    await killBusy(pid, tabs);
    // It is used until there is a new one in the place of the killed one, and once at least.
    for (let replaced = false; !replaced; ) {
      await use(page, ++round);
      const now = await answering();
      replaced = now.size === PIDS.length && [...now].some((name) => !before.has(name));
    }
    expect(wrong.flat()).toEqual([]);
    expect([...said]).toEqual([]);
  }
});
