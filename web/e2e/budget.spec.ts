import { availableParallelism, loadavg } from "node:os";
import { BALL, expect, test } from "./fixtures";

test.use({ specs: "budget" });

test("the first result is there within 1.5 seconds", async ({ page, open }) => {
  const [load = 0] = loadavg();
  test.skip(load > 2 * availableParallelism(), `this machine is too busy to measure: load ${load.toFixed(1)} on ${availableParallelism()} processors`);
  const times: number[] = [];
  // The best of a few: what else this machine does is not the page's doing.
  for (let turn = 0; turn < 5; turn++) {
    await open(`/search?id=${encodeURIComponent(BALL)}&turn=${turn}`);
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>("[data-tile] img")?.naturalWidth, undefined, { polling: "raf" });
    times.push(await page.evaluate(() => Math.round(performance.now())));
  }
  console.log(`first result after ${times.join(", ")} ms`);
  expect(Math.min(...times)).toBeLessThan(1500);
});
