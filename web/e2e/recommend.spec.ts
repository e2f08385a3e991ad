import { expect, expectAccessible, picture, test, tiles } from "./fixtures";

test.use({ specs: "recommend" });

const STATUS = /interests? from \d+ liked and \d+ disliked/;

test("every like and dislike changes the stream, and each card says why", async ({ page, open }) => {
  await open("/recommend");
  await expect(page.getByText(/^Like a few pictures/)).toBeVisible();
  await tiles(page).nth(2).getByRole("button", { name: /^Like/ }).click();
  await expect(page.getByText(STATUS)).toContainText("1 liked and 0 disliked");
  await expect(tiles(page).first()).toContainText(/Because you liked .* similarity/);
  const second = await tiles(page).nth(1).getByRole("img").first().getAttribute("src");
  await tiles(page).nth(1).getByRole("button", { name: /^Dislike/ }).click();
  await expect(page.getByText(STATUS)).toContainText("1 liked and 1 disliked");
  await expect(page.locator(`#stream img[src="${second}"]`)).toHaveCount(0);
  await picture(page, "recommend");
  await page.getByRole("list", { name: "Disliked" }).getByRole("button").click();
  await expect(page.getByText(STATUS)).toContainText("1 liked and 0 disliked");
  await page.getByRole("button", { name: "Start anew" }).click();
  await expect(page.getByText(/^Like a few pictures/)).toBeVisible();
});

test("keys like and dislike, and the focus stays in the stream", async ({ page, open }) => {
  await open("/recommend");
  await page.locator("[data-tile-open]").nth(3).focus();
  await page.keyboard.press("l");
  await expect(page.getByText(STATUS)).toContainText("1 liked and 0 disliked");
  // The count is there at once; the picture that was liked stays until the new stream has come.
  await expect(tiles(page).nth(3)).toContainText(/Because you liked .* similarity/);
  await expect(page.locator("[data-tile-open]").nth(3)).toBeFocused();
  await page.keyboard.press("d");
  await expect(page.getByText(STATUS)).toContainText("1 liked and 1 disliked");
});

test("one of each product, filters and diversity shape the stream", async ({ page, open }) => {
  await open("/recommend?group_by=product&f.category=Kitchen");
  await expect(tiles(page).first()).toContainText(/./);
  await tiles(page).first().getByRole("button", { name: /^Like/ }).click();
  await expect(page.getByText(STATUS)).toBeVisible();
  const notes = await page.locator("#stream .tile-note").allTextContents();
  expect(new Set(notes).size).toBe(notes.length);
  await page.getByLabel("Diversity").fill("0.5");
  await expect.poll(() => new URL(page.url()).searchParams.get("diversity")).toBe("0.5");
  await expect(tiles(page).first()).toContainText(/Because you liked/);
});

test("with a user, likes are recorded as events and can be forgotten", async ({ page, open, service }) => {
  await open("/recommend");
  await page.getByLabel("User").fill("ann");
  await page.getByRole("button", { name: "Use", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Recommended to ann" })).toBeVisible();
  await tiles(page).first().getByRole("button", { name: /^Like/ }).click();
  await expect(page.getByRole("list", { name: "Liked" }).getByRole("listitem")).toHaveCount(1);
  const { events } = await (await page.request.get(`${service.url}/v1/collections/sample/users/ann/events`)).json();
  expect(events).toHaveLength(1);
  expect(events[0].event).toBe("like");
  await page.getByRole("button", { name: "Forget this user" }).click();
  await page.getByRole("button", { name: "Remove all events" }).click();
  await expect(page.getByText("1 event of ann removed")).toBeVisible();
  await expect(page.getByRole("list", { name: "Liked" })).toHaveCount(0);
});

test("axe finds nothing serious", async ({ page, open }) => {
  await open("/recommend");
  await tiles(page).first().getByRole("button", { name: /^Like/ }).click();
  await expect(page.getByText(STATUS)).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "recommend-dark");
});
