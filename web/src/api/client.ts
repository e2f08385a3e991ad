/** Requests to the service the page came from: JSON and forms, typed errors, retries when it is busy, keys when it asks. */

import { connection } from "./connection";
import { isAbort, Problem, problemOf, Unreachable } from "./problem";

export type Params = Record<string, string | number | boolean | null | undefined | readonly string[]>;

export interface Options {
  signal?: AbortSignal;
  params?: Params;
}

const MOST_RETRIES = 5;
const LONGEST_WAIT = 15;

/** `collectionPath("shop", "items")` is `/v1/collections/shop/items`. */
export function collectionPath(collection: string, ...parts: string[]): string {
  return ["/v1/collections", collection, ...parts].map((part, at) => (at === 0 ? part : encodePath(part))).join("/");
}

/** An item's id as the last part of a path: its slashes stay. */
export function encodePath(id: string): string {
  return id.split("/").map(encodeURIComponent).join("/");
}

export function withParams(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === "") continue;
    if (Array.isArray(value)) for (const each of value as readonly string[]) query.append(name, each);
    else query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export const get = <T>(path: string, options?: Options): Promise<T> => json<T>("GET", path, undefined, options);
export const post = <T>(path: string, body?: unknown, options?: Options): Promise<T> => json<T>("POST", path, body, options);
export const put = <T>(path: string, body: unknown, options?: Options): Promise<T> => json<T>("PUT", path, body, options);
export const patch = <T>(path: string, body: unknown, options?: Options): Promise<T> => json<T>("PATCH", path, body, options);
export const del = <T>(path: string, options?: Options): Promise<T> => json<T>("DELETE", path, undefined, options);

async function json<T>(method: string, path: string, body: unknown, options: Options = {}): Promise<T> {
  const response = await send(method, path, body, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** The bytes of an answer: pictures, Arrow streams. */
export async function bytes(path: string, options: Options & { method?: string; body?: unknown } = {}): Promise<ArrayBuffer> {
  const response = await send(options.method ?? "GET", path, options.body, options);
  return response.arrayBuffer();
}

/**
 * One request, asked again while the service is busy and after a key was given.
 *
 * A `FormData` body travels as multipart, anything else as JSON. Throws `Problem` for what the service refuses,
 * `Unreachable` without an answer, and the signal's `AbortError`.
 */
export async function send(method: string, path: string, body: unknown, options: Options = {}): Promise<Response> {
  const url = withParams(path, options.params);
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json, */*" };
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const payload = body === undefined ? undefined : form ? body : JSON.stringify(body);
  for (let attempt = 0; ; attempt++) {
    const request: RequestInit = { method, headers, credentials: "same-origin" };
    if (payload !== undefined) request.body = payload;
    if (options.signal) request.signal = options.signal;
    const response = await reach(url, request);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (!(await worthAnotherTry(problem, attempt, options.signal))) throw problem;
  }
}

async function reach(url: string, request: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, request);
    connection.answered();
    return response;
  } catch (error) {
    if (isAbort(error)) throw error;
    connection.lose();
    throw new Unreachable();
  }
}

/** Waits for the key or for the time the service asked for, and says whether to send the request again. */
export async function worthAnotherTry(problem: Problem, attempt: number, signal?: AbortSignal): Promise<boolean> {
  if (problem.status === 401) return connection.awaitKey();
  if ((problem.status !== 503 && problem.status !== 429) || attempt >= MOST_RETRIES) return false;
  if (problem.retryAfter === null || problem.retryAfter > LONGEST_WAIT) return false;
  const seconds = Math.max(0.2, problem.retryAfter) * (1 + attempt / 2);
  connection.busy(seconds);
  await pause(seconds * 1000, signal);
  return true;
}

/** Resolves after a time, or rejects as soon as the signal aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    if (signal?.aborted) aborted();
    else signal?.addEventListener("abort", aborted, { once: true });
  });
}
