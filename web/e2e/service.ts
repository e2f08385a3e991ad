/** Real services for the tests: the installed `lookalike`, on copies of the packaged sample. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
export const ROOT = join(here, "../..");
export const SAMPLE = join(ROOT, "src/lookalike/sample");
export const STATE = join(here, ".state");
export const SCREENSHOTS = join(here, "screenshots");
export const TEMPLATE = join(STATE, "sample.lookalike");

const own = join(ROOT, ".venv/bin/python");
export const PYTHON = process.env["LOOKALIKE_PYTHON"] ?? (existsSync(own) ? own : "python3");

/** Run a command of `lookalike` to its end; what it printed. */
export function lookalike(...args: string[]): string {
  const ended = spawnSync(PYTHON, ["-m", "lookalike", ...args], { encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`lookalike ${args.join(" ")} ended with ${ended.status}: ${ended.stderr}`);
  return ended.stdout;
}

/** The indexed sample, made once: a test works on a copy. */
export function makeTemplate(): void {
  mkdirSync(STATE, { recursive: true });
  if (existsSync(TEMPLATE)) return;
  const making = `${TEMPLATE}.making`;
  rmSync(making, { recursive: true, force: true });
  lookalike("index", join(SAMPLE, "catalog"), "--to", making, "--attributes", join(SAMPLE, "catalog.csv"), "--key", "file", "--json");
  cpSync(making, TEMPLATE, { recursive: true });
  rmSync(making, { recursive: true, force: true });
}

export interface Service {
  url: string;
  /** An API key of the scope that was asked for, where the service wants one. */
  key: string | null;
  stop: () => Promise<void>;
}

export interface ServiceOptions {
  /** More collections: path by name. They are served as they are, not copied. */
  more?: Record<string, string>;
  /** Ask for keys, and make one of this scope. */
  scope?: "read" | "write" | "admin";
}

/** A service on a fresh copy of the sample, called `sample`. */
export async function startService({ more = {}, scope }: ServiceOptions = {}): Promise<Service> {
  const folder = mkdtempSync(join(STATE, "service-"));
  cpSync(TEMPLATE, join(folder, "sample.lookalike"), { recursive: true });
  const collections = [`sample=${join(folder, "sample.lookalike")}`, ...Object.entries(more).map(([name, path]) => `${name}=${path}`)];
  const keys = scope ? ["--keys", join(folder, "keys.json")] : [];
  const key = scope ? (JSON.parse(lookalike("keys", "create", "browser test", "--scope", scope, ...keys, "--json")) as { token: string }).token : null;
  const child = spawn(PYTHON, ["-m", "lookalike", "serve", ...collections, "--port", "0", ...keys, "--json"], {
    env: { ...process.env, OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await announced(child);
  return {
    url,
    key,
    stop: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The address, once the service says it; it prints one JSON document. */
function announced(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [out, err] = ["", ""];
    child.stderr?.on("data", (data: Buffer) => (err = (err + data.toString()).slice(-4000)));
    child.stdout?.on("data", (data: Buffer) => {
      out += data.toString();
      try {
        resolve((JSON.parse(out) as { url: string }).url);
      } catch {
        // not yet the whole document
      }
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${err}`)));
  });
}
