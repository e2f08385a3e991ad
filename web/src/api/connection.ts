/** What the whole page knows about its connection: lost, busy, or a key is needed. */

export interface Connection {
  /** The last request got no answer. */
  lost: boolean;
  /** The service refused for load; it is asked again at this time (ms since the epoch). */
  busyUntil: number | null;
  /** Requests wait for a key. */
  keyNeeded: boolean;
  /** Counts the times that everything shown is to be asked anew: the connection came back, a key was accepted, items were added. */
  epoch: number;
}

let state: Connection = { lost: false, busyUntil: null, keyNeeded: false, epoch: 0 };
const listeners = new Set<() => void>();
let waiting: ((accepted: boolean) => void)[] = [];
let beat: ReturnType<typeof setTimeout> | null = null;

function set(change: Partial<Connection>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

export const connection = {
  get: (): Connection => state,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  answered(): void {
    if (state.busyUntil !== null) set({ busyUntil: null });
    if (state.lost) set({ lost: false, epoch: state.epoch + 1 });
  },
  busy(seconds: number): void {
    set({ busyUntil: Date.now() + seconds * 1000 });
  },
  lose(): void {
    if (!state.lost) set({ lost: true });
    if (beat === null) beat = setTimeout(knock, 1500);
  },
  /** Resolves once a key was accepted (true) or the dialog was closed (false). */
  awaitKey(): Promise<boolean> {
    set({ keyNeeded: true });
    return new Promise((resolve) => waiting.push(resolve));
  },
  /** Ask everything that is shown anew. */
  refresh(): void {
    set({ epoch: state.epoch + 1 });
  },
  keyAccepted(): void {
    release(true);
  },
  keyRefused(): void {
    release(false);
  },
};

function release(accepted: boolean): void {
  const released = waiting;
  waiting = [];
  set({ keyNeeded: false, epoch: state.epoch + (accepted ? 1 : 0) });
  for (const resolve of released) resolve(accepted);
}

async function knock(): Promise<void> {
  beat = null;
  try {
    await fetch("/live", { cache: "no-store" });
    connection.answered();
  } catch {
    beat = setTimeout(knock, 2000);
  }
}
