/** A list that the service gives page by page. */

import { type DependencyList, useCallback, useEffect, useRef, useState } from "react";
import { isAbort } from "../api/problem";

interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Pages<T> {
  /** What was read so far. */
  all: T[];
  more: boolean;
  loading: boolean;
  error: unknown;
  /** Read the next page. */
  load: () => void;
  /** Begin anew. */
  reload: () => void;
}

interface State<T> {
  all: T[];
  next: string | null;
  loading: boolean;
  error: unknown;
}

/** Reads the first page when the dependencies change, and the next ones when asked to. */
export function usePages<T>(read: (after: string | null, signal: AbortSignal) => Promise<Page<T>>, dependencies: DependencyList): Pages<T> {
  const [state, setState] = useState<State<T>>({ all: [], next: null, loading: true, error: null });
  const [turn, setTurn] = useState(0);
  const asking = useRef(new AbortController());
  const reading = useRef(read);
  reading.current = read;

  const ask = useCallback((after: string | null) => {
    const { signal } = asking.current;
    setState((now) => ({ ...now, ...(after === null ? { all: [], next: null } : {}), loading: true, error: null }));
    reading.current(after, signal).then(
      (page) => !signal.aborted && setState((now) => ({ all: [...now.all, ...page.items], next: page.next, loading: false, error: null })),
      (error: unknown) => !signal.aborted && !isAbort(error) && setState((now) => ({ ...now, loading: false, error })),
    );
  }, []);

  useEffect(() => {
    asking.current = new AbortController();
    ask(null);
    return () => asking.current.abort();
    // The caller's dependencies say when `read` means something else.
  }, [...dependencies, turn, ask]);

  return {
    all: state.all,
    more: state.next !== null,
    loading: state.loading,
    error: state.error,
    load: () => state.next !== null && ask(state.next),
    reload: useCallback(() => setTurn((now) => now + 1), []),
  };
}
