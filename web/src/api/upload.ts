/** Uploads that tell how far they are: `fetch` does not say how many bytes went out, XMLHttpRequest does. */

import { pause, worthAnotherTry } from "./client";
import { connection } from "./connection";
import { isBroken, Problem, retryAfterOf, Unreachable } from "./problem";

export interface UploadOptions {
  signal?: AbortSignal;
  /** Bytes sent and bytes in all. */
  onSent?: (sent: number, total: number) => void;
  /** Once everything was sent, await the answer whatever the signal says: it names a job, which has to be cancelled. */
  startsJob?: boolean;
}

/** Before what broke is sent again, ms. */
const BREATH = 1500;

/**
 * POST a form; the JSON answer. Throws as `send` does.
 *
 * What breaks on its way is sent once more, unless it might start a second job.
 */
export async function upload<T>(path: string, form: FormData, options: UploadOptions = {}): Promise<T> {
  let broke = false;
  for (let attempt = 0; ; attempt++) {
    try {
      return await once<T>(path, form, options);
    } catch (error) {
      if (!broke && isBroken(error) && !mayHaveStarted(error, options)) {
        broke = true;
        await pause(BREATH, options.signal);
      } else if (!(error instanceof Problem) || !(await worthAnotherTry(error, attempt, options.signal))) throw error;
    }
  }
}

const mayHaveStarted = (error: unknown, { startsJob }: UploadOptions) => startsJob === true && !(error instanceof Unreachable && !error.sent);

function once<T>(path: string, form: FormData, { signal, onSent, startsJob = false }: UploadOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let sent = false;
    const abort = () => {
      if (!(sent && startsJob)) request.abort();
    };
    request.open("POST", path);
    request.responseType = "text";
    request.upload.onprogress = (event) => onSent?.(event.loaded, event.total);
    request.upload.onload = () => (sent = true);
    request.onerror = () => {
      connection.lose();
      reject(new Unreachable(sent));
    };
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onload = () => {
      connection.answered();
      const answer = parse(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(answer as T);
      else reject(new Problem(request.status, answer ?? {}, retryAfterOf(request.getResponseHeader("Retry-After"))));
    };
    request.onloadend = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) reject(new DOMException("aborted", "AbortError"));
    else request.send(form);
  });
}

function parse(text: string): object | null {
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}
