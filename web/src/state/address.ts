/** The address bar as state: which page, and its parameters. */

import { useCallback, useMemo, useSyncExternalStore } from "react";

export const PAGES = ["search", "map", "groups", "labels", "recommend", "cameras", "add"] as const;
export type PageName = (typeof PAGES)[number];

export interface Address {
  page: PageName;
  params: URLSearchParams;
}

export type Changes = Record<string, string | number | boolean | readonly string[] | null>;

const MOVED = "lookalike:moved";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(MOVED, listener);
  };
}

const where = () => window.location.pathname + window.location.search;

export function pageOf(pathname: string): PageName {
  const name = pathname.split("/")[1] ?? "";
  return (PAGES as readonly string[]).includes(name) ? (name as PageName) : "search";
}

/** Parameters with some of them changed: null or "" removes one, a list gives it several values, true is "1". */
export function changed(params: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    if (value === null || value === "" || value === false) continue;
    if (Array.isArray(value)) for (const each of value as readonly string[]) next.append(name, each);
    else next.set(name, value === true ? "1" : String(value));
  }
  return next;
}

export function href(page: PageName, params: URLSearchParams | Changes): string {
  const query = params instanceof URLSearchParams ? params : changed(new URLSearchParams(), params);
  const text = query.toString();
  return text ? `/${page}?${text}` : `/${page}`;
}

/** Go somewhere. `replace` leaves no step for the back button: for sliders and typing. */
export function navigate(page: PageName, params: URLSearchParams | Changes, options: { replace?: boolean } = {}): void {
  const to = href(page, params);
  if (to === where()) return;
  if (options.replace) window.history.replaceState(null, "", to);
  else window.history.pushState(null, "", to);
  window.dispatchEvent(new Event(MOVED));
}

export function useAddress(): Address {
  const at = useSyncExternalStore(subscribe, where);
  return useMemo(() => {
    const url = new URL(at, window.location.origin);
    return { page: pageOf(url.pathname), params: url.searchParams };
  }, [at]);
}

/** Change parameters of the page one is on; the others stay. */
export function setParams(changes: Changes, options: { replace?: boolean } = {}): void {
  const url = new URL(window.location.href);
  navigate(pageOf(url.pathname), changed(url.searchParams, changes), options);
}

/** One parameter of the address and its setter (null removes it). */
export function useParam(name: string): [string | null, (value: string | null, options?: { replace?: boolean }) => void] {
  const { params } = useAddress();
  const set = useCallback(
    (value: string | null, options?: { replace?: boolean }) => setParams({ [name]: value }, options),
    [name],
  );
  return [params.get(name), set];
}
