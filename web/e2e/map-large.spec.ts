import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { expect, test } from "./working";

test.use({ specs: "map-large" });

const COUNT = 100_000;

/** 60 clouds of points, the same each time. */
function stream(): Buffer {
  let state = 1;
  const next = () => (state = (Math.imul(state, 48271) >>> 0) % 2147483647) / 2147483647;
  const bell = () => next() + next() + next() - 1.5;
  const centres = Array.from({ length: 60 }, () => [30 * next(), 20 * next(), 0.4 + next()] as const);
  const of = Int32Array.from({ length: COUNT }, () => Math.floor(60 * next()));
  const x = Float32Array.from(of, (at) => centres[at]![0] + centres[at]![2] * bell());
  const y = Float32Array.from(of, (at) => centres[at]![1] + centres[at]![2] * bell());
  const id = Array.from(of, (_, at) => `large/${String(at).padStart(6, "0")}.jpg`);
  return Buffer.from(tableToIPC(tableFromArrays({ id, x, y, cluster: of }), {})!);
}

test("a hundred thousand points are drawn, moved and drawn around; the times of the frames are attached", async ({ page, open }, info) => {
  const body = stream();
  await page.route("**/v1/collections/sample/map?*", (route) => route.fulfill({ body, contentType: "application/vnd.apache.arrow.stream" }));
  await page.route("**/v1/collections/sample/thumbnails/**", (route) => route.abort());
  await open("/map?collection=sample");
  const stage = page.getByRole("application");
  await expect(page.getByRole("heading", { name: "100,000 in view" })).toBeVisible({ timeout: 30_000 });
  const box = (await stage.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 20, box.y + box.height / 2);
  const took = await stage.evaluate(
    (element) =>
      new Promise<number[]>((resolve) => {
        const frames: number[] = [];
        const area = element.getBoundingClientRect();
        let last = performance.now();
        const move = (now: number) => {
          frames.push(now - last);
          last = now;
          const at = frames.length / 20;
          const [clientX, clientY] = [area.left + area.width / 2 + 200 * Math.sin(at), area.top + area.height / 2 + 120 * Math.cos(at)];
          element.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, clientX, clientY, bubbles: true }));
          if (frames.length < 240) requestAnimationFrame(move);
          else resolve(frames);
        };
        requestAnimationFrame(move);
      }),
  );
  await page.mouse.up();
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]!.toFixed(1);
  const told = `${COUNT} points, ${took.length} frames while moving: median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
  await info.attach("frames", { body: told });
  console.log(told);

  await page.getByRole("button", { name: "Fit" }).click();
  await expect(page.getByRole("heading", { name: "100,000 in view" })).toBeVisible();
  await page.getByRole("radio", { name: "Box" }).check({ force: true });
  await page.mouse.move(box.x + 3, box.y + 3);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 3, box.y + box.height - 3, { steps: 4 });
  await page.mouse.up();
  await expect(page.getByRole("heading", { name: "100,000 selected" })).toBeVisible();
});
