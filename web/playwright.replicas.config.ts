/** The page against replicas on Ray. tests/scale/test_ray_serve_page.py starts them and runs this; `npm run e2e` does not. */

import { defineConfig } from "@playwright/test";
import pages from "./playwright.config";

export default defineConfig({
  testDir: "e2e",
  testMatch: "*.on-ray.ts",
  outputDir: "e2e/.state/replicas",
  workers: 1,
  timeout: 180_000,
  // A page that notices is a failure, also the first time.
  retries: 0,
  // Longer than the proxies take to find that a replica is gone, so that what is slow and what is lost can be told apart.
  expect: { timeout: 20_000 },
  forbidOnly: pages.forbidOnly ?? false,
  reporter: "list",
  use: { ...pages.use, actionTimeout: 20_000 },
});
