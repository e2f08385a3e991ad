import { type ComponentType, lazy, Suspense } from "react";
import { Header } from "./shell/header";
import { ConnectionBanner } from "./shell/connection-banner";
import { SignIn } from "./shell/sign-in";
import { usePaste } from "./shell/use-paste";
import { searchByPhotos } from "./state/photo-search";
import { type PageName, pageOf, useAddress } from "./state/address";
import { CollectionProvider, useCollection } from "./state/collection";
import { SessionProvider } from "./state/session";
import { ErrorBoundary } from "./ui/error-boundary";
import { Loading } from "./ui/states";
import { Toasts } from "./ui/toasts";

const LOADERS: Record<PageName, () => Promise<{ default: ComponentType }>> = {
  search: () => import("./pages/search"),
  map: () => import("./pages/map"),
  groups: () => import("./pages/groups"),
  labels: () => import("./pages/labels"),
  recommend: () => import("./pages/recommend"),
  cameras: () => import("./pages/cameras"),
  add: () => import("./pages/add"),
};

const PAGES: Record<PageName, ComponentType> = {
  search: lazy(LOADERS.search),
  map: lazy(LOADERS.map),
  groups: lazy(LOADERS.groups),
  labels: lazy(LOADERS.labels),
  recommend: lazy(LOADERS.recommend),
  cameras: lazy(LOADERS.cameras),
  add: lazy(LOADERS.add),
};

// The page that is asked for is fetched while the collection is still being read. Should that fail, `lazy` tries again.
LOADERS[pageOf(window.location.pathname)]().catch(() => undefined);

function CurrentPage() {
  const { page } = useAddress();
  const { name } = useCollection();
  const Page = PAGES[page];
  return (
    <ErrorBoundary key={`${page} ${name}`}>
      <Suspense fallback={<main className="page page-plain"><Loading /></main>}>
        <Page />
      </Suspense>
    </ErrorBoundary>
  );
}

const paste = (files: File[]) => void searchByPhotos(files);

export function App() {
  usePaste(paste);
  return (
    <SessionProvider>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <ConnectionBanner />
      <CollectionProvider header={(current) => <Header current={current} />}>
        <CurrentPage />
      </CollectionProvider>
      <SignIn />
      <Toasts />
    </SessionProvider>
  );
}
