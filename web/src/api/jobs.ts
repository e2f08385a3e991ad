/** Long work: started by a POST, followed over server-sent events, cancelled by a DELETE. */

import { del, get, post } from "./client";
import { Problem } from "./problem";

export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface Job<R = unknown> {
  id: string;
  kind: string;
  collection: string;
  state: JobState;
  done: number;
  total: number | null;
  message: string | null;
  created: string | number;
  started: string | number | null;
  ended: string | number | null;
  result?: R | null;
  problem?: { type?: string; title?: string; status?: number; detail?: string } | null;
}

export interface Following<R> {
  signal?: AbortSignal;
  onProgress?: (job: Job<R>) => void;
}

/**
 * POST something that answers with a job, and follow it to its end; resolves with the job's result.
 *
 * The request is never broken off: the service might have begun a job that nobody cancels. A signal that aborts in the
 * meantime cancels the job once it is known.
 */
export async function runJob<R>(path: string, body: unknown, following: Following<R> = {}): Promise<R> {
  return followJob<R>(await post<Job<R>>(path, body), following);
}

/**
 * Follow a job until it ends.
 *
 * The signal cancels the job on the service as well. Throws `Problem` when the job failed or could not be cancelled,
 * `AbortError` when it was cancelled, here or by someone else.
 */
export async function followJob<R>(job: Job<R>, { signal, onProgress }: Following<R> = {}): Promise<R> {
  onProgress?.(job);
  const ended = isEnded(job) ? job : await ending<R>(job.id, onProgress, signal);
  if (ended.state === "cancelled") throw new DOMException("the job was cancelled", "AbortError");
  if (ended.state === "failed") throw new Problem(ended.problem?.status ?? 500, ended.problem ?? {}, null);
  return ended.result as R;
}

export function cancelJob<R>(id: string): Promise<Job<R>> {
  return del<Job<R>>(`/v1/jobs/${encodeURIComponent(id)}`);
}

export function readJob<R>(id: string): Promise<Job<R>> {
  return get<Job<R>>(`/v1/jobs/${encodeURIComponent(id)}`);
}

function isEnded(job: Job): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}

/** The job as it is when it ends. The stream only says when to look: its end is read from the job itself. */
function ending<R>(id: string, onProgress: Following<R>["onProgress"], signal?: AbortSignal): Promise<Job<R>> {
  return new Promise((resolve, reject) => {
    const stream = new EventSource(`/v1/jobs/${encodeURIComponent(id)}/events`);
    let settled = false;
    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      stream.close();
      signal?.removeEventListener("abort", aborted);
      act();
    };
    const look = async () => {
      try {
        const job = await readJob<R>(id);
        if (isEnded(job)) settle(() => resolve(job));
        else onProgress?.(job);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    // A job that had ended before it could be cancelled stays what it is: what it did is told.
    const cancelled = (job: Job<R>) => (job.state === "done" || job.state === "failed" ? resolve(job) : reject(new DOMException("aborted", "AbortError")));
    const aborted = () => settle(() => void cancelJob<R>(id).then(cancelled, reject));
    signal?.addEventListener("abort", aborted, { once: true });
    stream.addEventListener("progress", (event) => {
      try {
        onProgress?.(JSON.parse((event as MessageEvent<string>).data) as Job<R>);
      } catch {
        void look();
      }
    });
    for (const end of ["done", "failed", "cancelled"]) stream.addEventListener(end, () => void look());
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) void look();
    };
    if (signal?.aborted) aborted();
  });
}
