import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, expectAccessible, OTHER_PHOTO, type Page, PHOTO, picture, test, tiles } from "./fixtures";
import { PYTHON } from "./service";

test.use({ specs: "add" });

/** A folder with two pictures, a broken one and a text file. */
function folder(): string {
  const made = join(mkdtempSync(join(tmpdir(), "lookalike-add-")), "holiday");
  mkdirSync(made);
  writeFileSync(join(made, "bed.jpg"), readFileSync(PHOTO));
  writeFileSync(join(made, "ball.jpg"), readFileSync(OTHER_PHOTO));
  writeFileSync(join(made, "broken.jpg"), "this is no picture");
  writeFileSync(join(made, "notes.txt"), "no picture at all");
  return made;
}

const setPrefix = (page: Page, prefix: string) => page.getByLabel("Ids begin with").fill(prefix);
const count = (page: Page, run: string, name: string) => page.getByRole("region", { name: run, exact: true }).locator("dl > div", { hasText: name }).locator("dd");

test("a folder: pictures are added, the broken one is listed with its reason, attributes come from the table", async ({ page, open }) => {
  const made = folder();
  const table = join(made, "../table.csv");
  writeFileSync(table, 'file,name,price\nbed.jpg,"Bed, from a holiday",12.5\n');
  await open("/add");
  const before = Number.parseInt((await page.getByText(/^3\d\d items/).textContent()) ?? "", 10);
  await setPrefix(page, "trip");
  await page.getByLabel("Attributes table").setInputFiles(table);
  await expect(page.getByText("table.csv: attributes of 1 files")).toBeVisible();
  await page.getByLabel("Choose a folder").setInputFiles(made);
  const run = page.getByRole("region", { name: "3 pictures", exact: true });
  await expect(run).toHaveAttribute("data-state", "done");
  await expect(count(page, "3 pictures", "added")).toHaveText("2");
  await expect(count(page, "3 pictures", "failed")).toHaveText("1");
  await expect(run.getByRole("row", { name: /broken\.jpg not an image/ })).toBeVisible();
  await expect(page.getByText(/1 file is neither/)).toBeVisible();
  await expect(page.getByText(new RegExp(`^${before + 2} items`))).toBeVisible();
  await picture(page, "add");
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "add-dark");

  await run.getByRole("link", { name: "Look at them" }).click();
  await expect(tiles(page)).toHaveCount(2);
  await expect(tiles(page).getByText("Bed, from a holiday")).toBeVisible();
});

test("the same again is unchanged, and the failed one can be tried again", async ({ page, open }) => {
  const made = folder();
  await open("/add");
  await setPrefix(page, "again");
  const add = () => page.getByLabel("Choose files").setInputFiles(["bed.jpg", "broken.jpg"].map((name) => join(made, name)));
  await add();
  await expect(count(page, "2 pictures", "added")).toHaveText("1");
  await page.getByRole("button", { name: "Try the failed ones again" }).click();
  await expect(count(page, "broken.jpg", "failed")).toHaveText("1");
  await page.getByRole("button", { name: /^Remove broken/ }).click();
  await add();
  await expect(count(page, "2 pictures", "unchanged")).toHaveText("1");
});

test("a zip archive is indexed by a job whose progress is shown", async ({ page, open }) => {
  const made = folder();
  const archive = join(made, "../holiday.zip");
  const zipped = spawnSync(PYTHON, ["-m", "zipfile", "-c", archive, made]);
  expect(zipped.status).toBe(0);
  await open("/add");
  await setPrefix(page, "zipped");
  await page.getByLabel("Choose files").setInputFiles(archive);
  await expect(page.getByRole("region", { name: "holiday.zip", exact: true })).toHaveAttribute("data-state", "done");
  await expect(count(page, "holiday.zip", "added")).toHaveText("2");
});

test("addresses of this machine are refused, with the reason", async ({ page, open }) => {
  await open("/add");
  const addresses = page.getByLabel("Addresses of pictures, one a line");
  await addresses.fill("ftp://example.com/a.jpg");
  await expect(page.getByText(/does not begin with https/)).toBeVisible();
  await addresses.fill("http://127.0.0.1:9/a.jpg");
  await page.getByRole("button", { name: "Fetch" }).click();
  const run = page.getByRole("region", { name: "http://127.0.0.1:9/a.jpg", exact: true });
  await expect(run).toHaveAttribute("data-state", "done");
  await expect(run.getByRole("row", { name: /127\.0\.0\.1/ })).toBeVisible();
});

test("fetching that is cancelled before the service names its job is cancelled there too", async ({ page, open }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/v1/collections/sample/urls", async (route) => {
    const answer = await route.fetch();
    await held;
    await route.fulfill({ response: answer, json: { ...(await answer.json()), state: "running" } });
  });
  await open("/add");
  await page.getByLabel("Addresses of pictures, one a line").fill("http://127.0.0.1:9/a.jpg");
  await page.getByRole("button", { name: "Fetch" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  const cancelled = page.waitForResponse((response) => response.request().method() === "DELETE" && response.url().includes("/v1/jobs/"));
  release();
  expect((await cancelled).ok()).toBe(true);
  // The service may have been quicker than the cancellation; either way nothing goes on.
  await expect(page.getByRole("region", { name: "http://127.0.0.1:9/a.jpg", exact: true })).toHaveAttribute("data-state", /^(cancelled|done)$/);
});

test("adding can be cancelled, and goes on while another page is open", async ({ page, open }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/v1/collections/sample/items", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue().catch(() => undefined); // the page has given it up by then
  });
  await open("/add");
  await setPrefix(page, "slow");
  await page.getByLabel("Choose files").setInputFiles([PHOTO, OTHER_PHOTO]);
  await page.getByRole("link", { name: "Search" }).click();
  await expect(tiles(page).first()).toBeVisible();
  await page.getByRole("link", { name: "Add" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("region", { name: "2 pictures", exact: true })).toHaveAttribute("data-state", "cancelled");
  release();
});

test("what breaks on its way is sent once more", async ({ page, open }) => {
  let broken = 0;
  await page.route("**/v1/collections/sample/items", async (route) => {
    if (route.request().method() === "POST" && broken++ === 0) await route.abort("connectionreset");
    else await route.continue();
  });
  await open("/add");
  await setPrefix(page, "broken-once");
  await page.getByLabel("Choose files").setInputFiles([PHOTO, OTHER_PHOTO]);
  await expect(count(page, "2 pictures", "added")).toHaveText("2");
  await expect(count(page, "2 pictures", "failed")).toHaveText("0");
  expect(broken).toBe(2);
});

test("what breaks twice is listed, and adding the same again skips what is there", async ({ page, open }) => {
  let away = true;
  await page.route("**/v1/collections/sample/items", async (route) => {
    if (route.request().method() === "POST" && away && route.request().postDataBuffer()?.includes("bed1_0")) await route.abort("connectionreset");
    else await route.continue();
  });
  await open("/add");
  await setPrefix(page, "broken-twice");
  await page.getByLabel("Choose files").setInputFiles(OTHER_PHOTO);
  await expect(count(page, "BlendSwapCC0-basketball_0.jpg", "added")).toHaveText("1");
  await page.getByRole("button", { name: /^Remove BlendSwapCC0-basketball/ }).click();
  await page.getByLabel("Choose files").setInputFiles([PHOTO, OTHER_PHOTO]);
  await expect(count(page, "2 pictures", "failed")).toHaveText("2");
  await expect(page.getByRole("row", { name: /bed1_0\.jpg The service does not answer/ })).toBeVisible();
  await expect(page.getByText(/add the same again: what is there already/)).toBeVisible();
  away = false;
  await page.getByRole("button", { name: "Try the failed ones again" }).click();
  await expect(count(page, "2 pictures", "added")).toHaveText("1");
  await expect(count(page, "2 pictures", "unchanged")).toHaveText("1");
});

test("a file that the service refuses keeps no other out", async ({ page, open }) => {
  const made = folder();
  const table = join(made, "../wrong.csv");
  writeFileSync(table, "file,price\nbed.jpg,12.5\nball.jpg,cheap\n");
  await open("/add");
  await setPrefix(page, "refused");
  await page.getByLabel("Attributes table").setInputFiles(table);
  await page.getByLabel("Choose files").setInputFiles(["bed.jpg", "ball.jpg"].map((name) => join(made, name)));
  await expect(count(page, "2 pictures", "added")).toHaveText("1");
  await expect(page.getByRole("row", { name: /ball\.jpg .*price/ })).toBeVisible();
});
