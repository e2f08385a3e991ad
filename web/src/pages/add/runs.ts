/** What is being added. It goes on while other pages are open; leaving the application asks first. */

import { useSyncExternalStore } from "react";
import { collectionPath } from "../../api/client";
import { connection } from "../../api/connection";
import { followJob, type Job, runJob } from "../../api/jobs";
import { isAbort, isBroken, Problem, sentence } from "../../api/problem";
import type { Ledger } from "../../api/types";
import { upload } from "../../api/upload";
import { type AttributesByName, attributesOf } from "./csv";
import { batches, type Picture } from "./files";

export type RunState = "running" | "done" | "failed" | "cancelled";

export interface Run {
  id: number;
  collection: string;
  prefix: string;
  title: string;
  state: RunState;
  /** What is done at the moment, for people. */
  step: string;
  done: number;
  total: number | null;
  ledger: Ledger;
  /** Why it ended before time. */
  error: string | null;
  /** Files that failed and are still at hand, and the attributes that they come with. */
  again: Picture[];
  table: AttributesByName | null;
}

const AT_ONCE = 2;
const EMPTY: Ledger = { added: 0, updated: 0, unchanged: 0, failed: 0, failures: [] };

let runs: readonly Run[] = [];
let last = 0;
const cancels = new Map<number, AbortController>();
const listeners = new Set<() => void>();

function publish(next: readonly Run[]): void {
  runs = next;
  for (const listener of listeners) listener();
}

function change(id: number, changes: Partial<Run> | ((run: Run) => Partial<Run>)): void {
  publish(runs.map((run) => (run.id === id ? { ...run, ...(typeof changes === "function" ? changes(run) : changes) } : run)));
}

export function plus(a: Ledger, b: Ledger): Ledger {
  return {
    added: a.added + b.added,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    failed: a.failed + b.failed,
    failures: [...a.failures, ...b.failures],
  };
}

const stay = (event: BeforeUnloadEvent) => event.preventDefault();

function begin(run: Pick<Run, "collection" | "prefix" | "title" | "step" | "total" | "table">, work: (id: number, signal: AbortSignal) => Promise<void>): void {
  const id = ++last;
  const cancel = new AbortController();
  cancels.set(id, cancel);
  publish([{ ...run, id, state: "running", done: 0, ledger: EMPTY, error: null, again: [] }, ...runs]);
  window.addEventListener("beforeunload", stay);
  const ended = (changes: Partial<Run>) => {
    cancels.delete(id);
    change(id, changes);
    if (cancels.size === 0) window.removeEventListener("beforeunload", stay);
    connection.refresh();
  };
  work(id, cancel.signal).then(
    () => ended({ state: "done" }),
    (error: unknown) => ended(isAbort(error) ? { state: "cancelled" } : { state: "failed", error: sentence(error) }),
  );
}

interface Target {
  collection: string;
  prefix: string;
}

function formOf(batch: readonly Picture[], prefix: string, table: AttributesByName | null): FormData {
  const form = new FormData();
  const attributes: Record<string, unknown> = {};
  for (const { path, file } of batch) {
    form.append("image", file, path);
    const found = table && attributesOf(table, path);
    if (found && Object.keys(found).length > 0) attributes[path] = found;
  }
  form.append("prefix", prefix);
  if (Object.keys(attributes).length > 0) form.append("attributes", JSON.stringify(attributes));
  return form;
}

/**
 * Send files together. Where the service refuses them together, each is sent alone, so that one that is too large or has a
 * wrong attribute keeps no other out; what broke, twice by then, is told of each.
 */
async function sendTogether(target: Target, batch: readonly Picture[], table: AttributesByName | null, signal: AbortSignal): Promise<Ledger> {
  try {
    return await upload<Ledger>(collectionPath(target.collection, "items"), formOf(batch, target.prefix, table), { signal });
  } catch (error) {
    if (isAbort(error)) throw error;
    if (batch.length === 1 || isBroken(error) || !concernsFiles(error)) return lost(batch, error);
  }
  let ledger = EMPTY;
  for (const picture of batch) ledger = plus(ledger, await sendTogether(target, [picture], table, signal));
  return ledger;
}

/** Whether a refusal may be due to some of the files: one of the key or the collection is of all of them. */
const concernsFiles = (error: unknown) => error instanceof Problem && [400, 413, 422].includes(error.status);

/** What is left when a whole request fails: every file of it failed, for the same reason. */
function lost(batch: readonly Picture[], error: unknown): Ledger {
  const reason = sentence(error);
  return { ...EMPTY, failed: batch.length, failures: batch.map(({ path }) => ({ uri: path, reason })) };
}

export function addPictures({ collection, prefix }: Target, pictures: readonly Picture[], table: AttributesByName | null): void {
  const title = pictures.length === 1 ? (pictures[0]?.path ?? "1 picture") : `${pictures.length.toLocaleString("en")} pictures`;
  begin({ collection, prefix, title, step: "Uploading and indexing", total: pictures.length, table }, async (id, signal) => {
    const waiting = batches(pictures);
    const one = async () => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
        const sent = batch;
        const ledger = await sendTogether({ collection, prefix }, sent, table, signal);
        const failed = new Set(ledger.failures.map(({ uri }) => uri));
        change(id, (run) => ({
          done: run.done + sent.length,
          ledger: plus(run.ledger, ledger),
          again: [...run.again, ...sent.filter(({ path }) => failed.has(path) || failed.has(`${prefix}/${path}`))],
        }));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  });
}

function followed(id: number, step: string) {
  return (job: Job<Ledger>) => change(id, { step: job.state === "queued" ? "Waiting for other work to end" : (job.message ?? step), done: job.done, total: job.total });
}

export function addArchive({ collection, prefix }: Target, archive: File, table: AttributesByName | null): void {
  begin({ collection, prefix, title: archive.name, step: "Uploading the archive", total: archive.size, table }, async (id, signal) => {
    const form = new FormData();
    form.append("archive", archive, archive.name);
    form.append("prefix", prefix);
    if (table) form.append("attributes", JSON.stringify(Object.fromEntries(table)));
    const path = collectionPath(collection, "archive");
    const job = await upload<Job<Ledger>>(path, form, { signal, startsJob: true, onSent: (done, total) => change(id, { done, total }) });
    change(id, { ledger: await followJob(job, { signal, onProgress: followed(id, "Indexing the archive") }) });
  });
}

export function addUrls({ collection, prefix }: Target, urls: readonly string[]): void {
  const title = urls.length === 1 ? (urls[0] ?? "1 address") : `${urls.length.toLocaleString("en")} addresses`;
  begin({ collection, prefix, title, step: "Fetching the pictures", total: urls.length, table: null }, async (id, signal) => {
    const path = collectionPath(collection, "urls");
    change(id, { ledger: await runJob<Ledger>(path, { urls, prefix }, { signal, onProgress: followed(id, "Fetching the pictures") }) });
  });
}

export function cancelRun(id: number): void {
  cancels.get(id)?.abort();
}

export function dropRun(id: number): void {
  publish(runs.filter((run) => run.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRuns(collection: string): Run[] {
  return useSyncExternalStore(subscribe, () => runs).filter((run) => run.collection === collection);
}
