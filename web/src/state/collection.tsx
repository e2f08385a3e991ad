/** The collection the page works on: named in the address (`collection=`), the first one by default. */

import { createContext, type ReactNode, use, useMemo } from "react";
import { listCollections, readCollection } from "../api/collections";
import type { CollectionInfo, CollectionSummary } from "../api/types";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { navigate, useAddress } from "./address";
import { useLoad } from "./load";

export interface Current {
  name: string;
  info: CollectionInfo;
  all: CollectionSummary[];
  /** Read the collection's description anew: after items were added or something was fitted. */
  refresh: () => void;
}

const Context = createContext<Current | null>(null);

export function useCollection(): Current {
  const current = use(Context);
  if (!current) throw new Error("useCollection works below CollectionProvider only");
  return current;
}

/** Switch to another collection; filters and queries of the one before mean nothing there. */
export function switchCollection(name: string, page: Parameters<typeof navigate>[0]): void {
  navigate(page, { collection: name });
}

export function CollectionProvider({ children, header }: { children: ReactNode; header: (current: Current | null) => ReactNode }) {
  const { params } = useAddress();
  const all = useLoad((signal) => listCollections({ signal }), []);
  const name = params.get("collection") ?? all.data?.[0]?.name ?? null;
  const info = useLoad(name === null ? null : (signal) => readCollection(name, { signal }).then((read) => ({ name, read })), [name]);

  const [served, described, reloadAll, reloadInfo] = [all.data, info.data, all.reload, info.reload];
  const current = useMemo<Current | null>(() => {
    if (name === null || described?.name !== name || served === null) return null;
    return { name, info: described.read, all: served, refresh: () => (reloadInfo(), reloadAll()) };
  }, [name, described, served, reloadInfo, reloadAll]);

  const error = all.error ?? info.error;
  return (
    <>
      {header(current)}
      {current ? (
        <Context value={current}>{children}</Context>
      ) : (
        <main className="page page-plain">
          {error ? (
            <ErrorState error={error} retry={() => (all.reload(), info.reload())}>
              {name !== null && all.data?.[0] && all.data[0].name !== name && (
                <a className="button" href={`/search?collection=${encodeURIComponent(all.data[0].name)}`}>
                  Open {all.data[0].name}
                </a>
              )}
            </ErrorState>
          ) : all.data?.length === 0 ? (
            <EmptyState title="No collection is served">Start the service with one: lookalike serve COLLECTION</EmptyState>
          ) : (
            <Loading label="Opening the collection" />
          )}
        </main>
      )}
    </>
  );
}
