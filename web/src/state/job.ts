/** A job as a component sees it: started, followed, cancelled. */

import { useCallback, useEffect, useRef, useState } from "react";
import { type Job, runJob } from "../api/jobs";
import { isAbort } from "../api/problem";

export interface Running<R> {
  /** The job under way; null: none is. */
  job: Job<R> | null;
  busy: boolean;
  error: unknown;
  start: (path: string, body: unknown) => Promise<R | null>;
  cancel: () => void;
}

/**
 * Runs one job at a time; leaving the page cancels nothing, so that long work goes on.
 *
 * `start` resolves with the result, or null when it was cancelled or failed (then `error` says why).
 */
export function useJob<R>(): Running<R> {
  const [job, setJob] = useState<Job<R> | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const stopper = useRef<AbortController | null>(null);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);

  const start = useCallback(async (path: string, body: unknown): Promise<R | null> => {
    const stop = (stopper.current = new AbortController());
    setBusy(true);
    setError(null);
    try {
      return await runJob<R>(path, body, { signal: stop.signal, onProgress: (now) => here.current && setJob(now) });
    } catch (failed) {
      if (!isAbort(failed) && here.current) setError(failed);
      return null;
    } finally {
      if (here.current) {
        setBusy(false);
        setJob(null);
      }
    }
  }, []);

  return { job, busy, error, start, cancel: useCallback(() => stopper.current?.abort(), []) };
}
