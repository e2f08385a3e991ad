import { useCallback, useEffect, useRef, useState } from "react";
import { setAttributes } from "../../api/items";
import { toastError } from "../../ui/toasts";
import { afterSaving, emptyQueue, filled, type Queue, say, undo, unsaved } from "./queue";

/** Labels that are saved together at most, and how long the last one waits. */
const BATCH = 10;
const WAIT_MS = 2500;

export interface QueueHandle {
  queue: Queue;
  saving: boolean;
  fill: (ids: readonly string[]) => void;
  say: (label: string | null) => void;
  undo: () => void;
  /** Save what is not saved yet; false when that failed. */
  save: () => Promise<boolean>;
}

/** A queue of pictures to label whose labels are saved in batches, after a while, and when the page is left. */
export function useQueue(collection: string, attribute: string): QueueHandle {
  const [queue, setQueue] = useState<Queue>(emptyQueue);
  const [saving, setSaving] = useState(false);
  const latest = useRef(queue);
  latest.current = queue;
  const busy = useRef<Promise<boolean> | null>(null);

  const send = useCallback(async (): Promise<boolean> => {
    const sent = latest.current;
    const changes = Object.entries(unsaved(sent)).map(([id, label]) => [id, { [attribute]: label }] as const);
    if (changes.length === 0) return true;
    setSaving(true);
    try {
      await setAttributes(collection, Object.fromEntries(changes));
      setQueue((now) => afterSaving(now, sent));
      return true;
    } catch (error) {
      toastError(error);
      return false;
    } finally {
      setSaving(false);
    }
  }, [collection, attribute]);

  const save = useCallback(async (): Promise<boolean> => {
    await busy.current;
    busy.current = send();
    return busy.current;
  }, [send]);

  const count = Object.keys(unsaved(queue)).length;
  useEffect(() => {
    if (count === 0) return;
    const timer = setTimeout(() => void save(), count >= BATCH ? 0 : WAIT_MS);
    return () => clearTimeout(timer);
  }, [count, queue.said, save]);

  useEffect(() => () => void send(), [send]);

  return {
    queue,
    saving,
    fill: useCallback((ids) => setQueue(filled(ids)), []),
    say: useCallback((label) => setQueue((now) => say(now, label)), []),
    undo: useCallback(() => setQueue(undo), []),
    save,
  };
}
