/** Something asked of the service, as a component sees it. */

import { type DependencyList, useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { connection, type Connection } from "../api/connection";
import { isAbort } from "../api/problem";

export interface Loaded<T> {
  /** The last answer; it stays while the next one is awaited. */
  data: T | null;
  error: unknown;
  loading: boolean;
  reload: () => void;
}

export function useConnection(): Connection {
  return useSyncExternalStore(connection.subscribe, connection.get);
}

interface State<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
}

/**
 * Ask when the dependencies change, after `reload()`, and once a lost connection is back; only the latest answer counts.
 *
 * `load` null: there is nothing to ask, and no data.
 */
export function useLoad<T>(load: ((signal: AbortSignal) => Promise<T>) | null, dependencies: DependencyList): Loaded<T> {
  const [state, setState] = useState<State<T>>({ data: null, error: null, loading: load !== null });
  const [turn, setTurn] = useState(0);
  const { epoch } = useConnection();

  useEffect(() => {
    if (load === null) {
      setState({ data: null, error: null, loading: false });
      return;
    }
    const asking = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(asking.signal).then(
      (data) => {
        if (!asking.signal.aborted) setState({ data, error: null, loading: false });
      },
      (error: unknown) => {
        if (!asking.signal.aborted && !isAbort(error)) setState((before) => ({ ...before, error, loading: false }));
      },
    );
    return () => asking.abort();
    // The caller's dependencies say when `load` means something else.
  }, [...dependencies, turn, epoch]);

  return { ...state, reload: useCallback(() => setTurn((now) => now + 1), []) };
}
