import { ask, expect, expectAccessible, picture, test, WALKER } from "./working";

test.use({ specs: "cameras" });
test.describe.configure({ mode: "serial" });

const path = "/cameras?collection=scene";

test("a collection without cameras says what to run, and what to settle before", async ({ page, open }) => {
  await open("/cameras?collection=sample");
  await expect(page.getByText(/lookalike track cameras.json --to/)).toBeVisible();
  await expect(page.getByText("Pictures of people are personal data.")).toBeVisible();
  await picture(page, "cameras-none");
});

test("identities have lanes on a time axis, and a stay is played", async ({ page, open }) => {
  await open(path);
  await expect(page.getByRole("heading", { name: "4 identities" })).toBeVisible();
  const stays = page.getByRole("button", { name: /^Play t\d+/ });
  await expect(stays).toHaveCount(21);
  await page.getByRole("button", { name: "Zoom into time" }).click();
  await page.getByRole("button", { name: "Zoom into time" }).click();
  await expect.poll(() => stays.count()).toBeLessThan(21);
  await page.getByRole("button", { name: "All", exact: true }).click();
  await expect(stays).toHaveCount(21);
  await picture(page, "cameras");
  await stays.first().click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator("video")).toBeVisible();
  await expect.poll(() => dialog.locator("video").evaluate((video: HTMLVideoElement) => video.readyState), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  await picture(page, "sighting");
  await dialog.getByRole("button", { name: "The next stay" }).click();
  await expect(dialog.getByText(/^2 of /)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
});

test("filters by camera, name and time are kept in the address", async ({ page, open }) => {
  await open(path);
  await page.getByLabel("Camera", { exact: true }).selectOption("yard");
  await expect(page.getByRole("heading", { name: "3 identities" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "3 identities" })).toBeVisible();
  await page.getByRole("radio", { name: "Named" }).check({ force: true });
  await expect(page.getByRole("heading", { name: "Nobody was seen" })).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(page.getByRole("heading", { name: "4 identities" })).toBeVisible();
});

test("an identity is renamed, split, and merged again", async ({ page, open, service }) => {
  await open(path);
  await page.getByRole("button", { name: "Rename i1" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Ada <b>");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await expect(page.getByText("Ada <b>", { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Split Ada <b>" }).click();
  const split = page.getByRole("dialog");
  await split.getByRole("checkbox").nth(0).check();
  await split.getByRole("checkbox").nth(1).check();
  await picture(page, "cameras-split");
  await split.getByRole("button", { name: "Split off 2" }).click();
  await expect(page.getByRole("heading", { name: "5 identities" })).toBeVisible();

  await page.getByRole("checkbox", { name: "Pick Ada <b> to merge" }).check();
  const { identities } = await ask<{ identities: { id: string }[] }>(service, "GET", "scene/identities");
  const made = identities.map(({ id }) => id).filter((id) => !["i1", "i2", "i3", "i4"].includes(id));
  expect(made).toHaveLength(1);
  await page.getByRole("checkbox", { name: `Pick ${made[0]} to merge` }).check();
  await page.getByRole("button", { name: "Merge two" }).click();
  await picture(page, "cameras-merge");
  await page.getByRole("dialog").getByRole("button", { name: /^Merge into/ }).click();
  await expect(page.getByRole("heading", { name: "4 identities" })).toBeVisible();
});

test("somebody is followed by a photo, and the log says so", async ({ page, open }) => {
  await open(`${path}&view=follow`);
  await page.setInputFiles('input[type="file"]', WALKER);
  const photo = (await page.getByRole("img", { name: "Query: whom to follow" }).boundingBox())!;
  // the walker's box in the frame, which is 240 x 160 pixels
  const [left, top, right, bottom] = [20 / 240, 56 / 160, 44 / 240, 128 / 160];
  await page.mouse.move(photo.x + left * photo.width, photo.y + top * photo.height);
  await page.mouse.down();
  await page.mouse.move(photo.x + right * photo.width, photo.y + bottom * photo.height, { steps: 5 });
  await page.mouse.up();
  await page.getByLabel("Reason").fill("case 118");
  await page.getByRole("button", { name: "Follow", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Most alike" })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("heading", { name: "Looks like Ada <b>" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Play t\d+/ })).toHaveCount(6);
  await picture(page, "cameras-follow");
  await expectAccessible(page);
  await page.getByRole("radio", { name: "Log" }).check({ force: true });
  await expect(page.getByRole("row", { name: /follow image.*case 118/ })).toBeVisible();
});

test("somebody is enrolled by name with a photo, recognised, and unenrolled", async ({ page, open, service }) => {
  const { identities } = await ask<{ identities: { id: string; crop: string }[] }>(service, "GET", "scene/identities");
  const crop = await page.request.get(service.url + identities[0]!.crop);
  const photo = { name: "front.webp", mimeType: "image/webp", buffer: await crop.body() };
  await open(`${path}&view=gallery`);
  await expect(page.getByRole("heading", { name: "Nobody is enrolled" })).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("Choose photos").setInputFiles([photo, { ...photo, name: "wrong.webp" }]);
  await page.getByRole("button", { name: "Leave wrong.webp out" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Grace/<i>");
  await page.getByRole("button", { name: "Enrol", exact: true }).click();
  const row = page.getByRole("list", { name: "Gallery" }).getByRole("listitem").filter({ hasText: "Grace/<i>" });
  await expect(row.getByText("1 photo", { exact: true })).toBeVisible();
  await expect(row.getByRole("img", { name: `${identities[0]!.id} at its best` })).toBeVisible();
  const stored = row.getByRole("img", { name: "Photo 1 of Grace/<i>" });
  await expect.poll(() => stored.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await picture(page, "cameras-gallery");
  await expectAccessible(page);
  await page.getByRole("radio", { name: "Identities" }).check({ force: true });
  await expect(page.getByText("looks like Grace/<i>").first()).toBeVisible();

  await page.getByRole("radio", { name: "Gallery" }).check({ force: true });
  await page.getByRole("button", { name: "Unenrol Grace/<i>" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unenrol" }).click();
  await expect(page.getByRole("heading", { name: "Nobody is enrolled" })).toBeVisible();
});

test("the ways between cameras are drawn and listed", async ({ page, open }) => {
  await open(`${path}&view=ways`);
  await expect(page.getByRole("img", { name: /Most often gate to yard, \d+ times/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /^gate to yard/ })).toBeVisible();
  await picture(page, "cameras-ways");
  await expectAccessible(page);
});

test("an identity is removed after a question", async ({ page, open }) => {
  await open(path);
  await page.getByRole("button", { name: "Remove i2" }).click();
  await expect(page.getByRole("dialog", { name: "Remove i2?" })).toContainText("There is no undo");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("heading", { name: "3 identities" })).toBeVisible();
});

test("axe finds nothing serious; light, dark and on a phone", async ({ page, open }) => {
  await open(path);
  await expect(page.getByRole("heading", { name: /identities$/ })).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "cameras-dark");
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await picture(page, "cameras-phone");
});
