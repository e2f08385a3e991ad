import { defineConfig } from "@playwright/test";

const MEASURED = ["**/budget.spec.ts", "**/map-large.spec.ts"];

export default defineConfig({
  testDir: "e2e",
  testMatch: "*.spec.ts",
  globalSetup: "./e2e/setup.ts",
  outputDir: "e2e/.state/results",
  // Each worker has a service of its own, and a service encodes: more of them only wait for each other.
  workers: 2,
  fullyParallel: false,
  // What is measured runs when nothing else does.
  projects: [
    { name: "pages", testIgnore: MEASURED },
    { name: "measured", testMatch: MEASURED, dependencies: ["pages"], workers: 1 },
  ],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // A browser on a busy machine loses a race now and then; one that wins the second time is listed as flaky.
  retries: 1,
  forbidOnly: !!process.env["CI"],
  reporter: process.env["CI"] ? [["list"], ["github"]] : "list",
  use: {
    viewport: { width: 1360, height: 860 },
    actionTimeout: 10_000,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
