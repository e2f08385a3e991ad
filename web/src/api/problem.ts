/** What went wrong, as the service says it (RFC 9457) or as the connection shows it. */

export interface FieldError {
  field: string;
  message: string;
}

interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  errors?: FieldError[];
  expression?: string;
  position?: number;
}

export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  /** Last part of the document's `type`, such as `filter`, `not-fitted`, `unknown-item`. */
  readonly type: string;
  readonly errors: FieldError[];
  /** Of a filter: index of the first character that is wrong. */
  readonly position: number | null;
  /** Seconds after which it is worth to ask again. */
  readonly retryAfter: number | null;

  constructor(status: number, document: ProblemDocument, retryAfter: number | null) {
    super(document.detail ?? document.title ?? `the service answered ${status}`);
    this.status = status;
    this.type = document.type?.split("/").pop() ?? `http-${status}`;
    this.errors = document.errors ?? [];
    this.position = document.position ?? caretPosition(this.message);
    this.retryAfter = retryAfter;
  }
}

/** The request never got an answer. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  /** `sent`: all of it went out, so that the service may have done what it asks for. */
  constructor(readonly sent = false) {
    super("The service does not answer. Check that it runs and that this device is connected.");
  }
}

const BROKEN = [408, 500, 502, 504];

/** Whether a request broke, and the same again may work: nobody refused it. */
export function isBroken(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && BROKEN.includes(error.status));
}

/** Index of the wrong character in a filter error whose last line points at it with a caret. */
export function caretPosition(message: string): number | null {
  const lines = message.split("\n");
  const last = lines[lines.length - 1] ?? "";
  return lines.length >= 3 && /^ +\^$/.test(last) ? last.length - 3 : null;
}

/** The sentence for people: the first line of what the error says. */
export function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? "").trim() || "Something went wrong.";
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  let document: ProblemDocument;
  try {
    document = JSON.parse(text) as ProblemDocument;
  } catch {
    document = { detail: response.statusText || text.slice(0, 200) };
  }
  return new Problem(response.status, document, retryAfterOf(response.headers.get("Retry-After")));
}

export function retryAfterOf(header: string | null): number | null {
  const seconds = Number(header);
  return header !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
