/** Real services for the tests: the installed `lookalike`, on copies of the packaged sample. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
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

const OWNED = /^(?:service|making)-(\d+)-/;

/** A fresh folder of this process, named so that a later run knows whether somebody still uses it. */
export function ownFolder(kind: "service" | "making"): string {
  mkdirSync(STATE, { recursive: true });
  return mkdtempSync(join(STATE, `${kind}-${process.pid}-`));
}

/** Remove what interrupted runs left; folders of processes that live are theirs. */
export function removeStale(): void {
  for (const name of readdirSync(STATE)) {
    const pid = OWNED.exec(name)?.[1];
    if (pid !== undefined && !lives(Number(pid))) rmSync(join(STATE, name), { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Make a folder once and for all runs: whole or not at all, also where two runs begin at a time. */
export function makeOnce(target: string, make: (folder: string) => void): void {
  if (existsSync(target)) return;
  const folder = ownFolder("making");
  const made = join(folder, "made");
  make(made);
  try {
    renameSync(made, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The indexed sample, made once: a test works on a copy. */
export function makeTemplate(): void {
  makeOnce(TEMPLATE, (made) =>
    lookalike("index", join(SAMPLE, "catalog"), "--to", made, "--attributes", join(SAMPLE, "catalog.csv"), "--key", "file", "--json"),
  );
}

export interface Service {
  url: string;
  /** An API key of the scope that was asked for, where the service wants one. */
  key: string | null;
  /** Another key, where the service wants one. */
  makeKey: (scope: Scope) => string;
  stop: () => Promise<void>;
}

export type Scope = "read" | "write" | "admin";

export interface ServiceOptions {
  /** More collections: path by name. They are served as they are, not copied. */
  more?: Record<string, string>;
  /** Ask for keys, and make one of this scope. */
  scope?: Scope;
}

/** A service on a fresh copy of the sample, called `sample`. */
export async function startService({ more = {}, scope }: ServiceOptions = {}): Promise<Service> {
  const folder = ownFolder("service");
  cpSync(TEMPLATE, join(folder, "sample.lookalike"), { recursive: true });
  const collections = [`sample=${join(folder, "sample.lookalike")}`, ...Object.entries(more).map(([name, path]) => `${name}=${path}`)];
  const keys = scope ? ["--keys", join(folder, "keys.json")] : [];
  const makeKey = (name: string, allowed: Scope) =>
    (JSON.parse(lookalike("keys", "create", name, "--scope", allowed, ...keys, "--json")) as { token: string }).token;
  const key = scope ? makeKey("browser test", scope) : null;
  const child = spawn(PYTHON, ["-m", "lookalike", "serve", ...collections, "--port", "0", ...keys, "--json"], {
    env: { ...process.env, OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await announced(child);
  return {
    url,
    key,
    makeKey: (allowed) => {
      if (!scope) throw new Error("this service asks for no key: start it with a scope");
      return makeKey(`${allowed} beside`, allowed);
    },
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
