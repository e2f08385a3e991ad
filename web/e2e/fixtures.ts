/** What every spec starts from: a service, and a page that is watched for what must never happen. */

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { join } from "node:path";
import { SAMPLE, SCREENSHOTS, type Service, startService } from "./service";

export { expect };
export type { Locator, Page };

export const PHOTO = join(SAMPLE, "customer/BlendSwapCC0-bed1_0.jpg");
export const OTHER_PHOTO = join(SAMPLE, "customer/BlendSwapCC0-basketball_0.jpg");
export const BALL = "catalog/BlendSwapCC0-basketball_0.jpg";

/**
 * Watch a page: no request leaves the service's origin, nothing is refused by the Content-Security-Policy, nothing
 * throws. Returns what went wrong so far.
 */
export function watch(page: Page, origin: string): string[] {
  const wrong: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== origin) wrong.push(`a request left the origin: ${request.url()}`);
  });
  page.on("console", (message) => {
    if (/Content[- ]Security[- ]Policy/i.test(message.text())) wrong.push(`CSP: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`the page threw: ${error.message}`));
  return wrong;
}

export interface Workers {
  service: Service;
  /** `test.use({ specs: "map" })`: the specs of a file have a service of their own, which others have not changed. */
  specs: string;
}

export const test = base.extend<{ open: (path: string) => Promise<void> }, Workers>({
  specs: ["", { option: true, scope: "worker" }],
  service: [
    async ({}, use) => {
      const service = await startService();
      await use(service);
      await service.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  page: async ({ page, service }, use) => {
    const wrong = watch(page, service.url);
    await use(page);
    expect(wrong).toEqual([]);
  },
  /** `open("/search?id=...")` on the service. */
  open: async ({ page, service }, use) => {
    await use(async (path) => {
      await page.goto(service.url + path);
    });
  },
});

export const tiles = (page: Page): Locator => page.locator("[data-tile]");

/** axe finds no serious or critical issue, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const found = grave.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`).join(" | ")}`);
    expect(found).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** A picture for people to look at; kept by CI. Waits for the thumbnails on the screen. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.waitForFunction(() => Array.from(document.images).every((image) => image.loading === "lazy" || image.complete));
  await page.waitForTimeout(250);
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}
