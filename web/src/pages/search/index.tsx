import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Problem } from "../../api/problem";
import { useKeys } from "../../shell/use-keys";
import { useDrop } from "../../shell/use-paste";
import { setParams, useAddress } from "../../state/address";
import { useCollection } from "../../state/collection";
import { searchByPhotos } from "../../state/photo-search";
import { useUploads } from "../../state/uploads";
import { EmptyState, ErrorState, GridSkeleton } from "../../ui/states";
import { Button } from "../../ui/button";
import { FilterPanel } from "../../filtering/panel";
import { whereOf } from "../../filtering/filters";
import { HelpDialog } from "./help-dialog";
import { ItemDialog } from "./item-dialog";
import { More } from "./more";
import { Options } from "./options";
import { nameOf } from "../../state/names";
import { isSearch, MOST_HITS, PAGE_OF_HITS, readQuery } from "./query";
import { QueryPanel } from "./query-panel";
import { Results, similarTo } from "./results";
import css from "./search.module.css";
import { SearchBar } from "./search-bar";
import { ProvenanceLine, Toolbar } from "./toolbar";
import { useFacets } from "../../filtering/use-facets";
import { type Found, useSearch } from "./use-search";
import { comparedOf, WhyDialog } from "./why-dialog";

const drop = (files: File[]) => void searchByPhotos(files);

export default function SearchPage() {
  const { name, info } = useCollection();
  const { params } = useAddress();
  const query = useMemo(() => readQuery(params, info.attributes), [params, info.attributes]);
  const where = whereOf(query.expert, query.selections, info.attributes);
  const photos = useUploads(query.photos);
  const minusPhotos = useUploads(query.minusPhotos);
  const found = useSearch(name, info.version, query, where.expression, photos, minusPhotos);
  const facets = useFacets(name, info.version, info.attributes, query.expert, query.selections);
  const [help, setHelp] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const dropping = useDrop(drop);
  useKeys({ "/": () => input.current?.focus(), "?": () => setHelp(true) });
  useEffect(() => {
    document.title = query.text ? `${query.text} · lookalike` : "Search · lookalike";
  }, [query.text]);

  const visible = useMemo(() => (found.data?.hits ?? []).filter((hit) => hit.strength === null || hit.strength >= query.cut), [found.data, query.cut]);
  const closeDialogs = () => setParams({ open: null, why: null });
  const compared = query.why === null ? null : comparedOf(query, photos);
  const why = query.why === null ? null : (found.data?.hits.find((hit) => hit.id === query.why) ?? null);

  return (
    <main id="main" className={`page ${css["page"]}`}>
      <h1 className="visually-hidden">Search {name}</h1>
      <SearchBar text={query.text} input={input} onHelp={() => setHelp(true)} />
      <aside className={css["side"]} aria-label="Query and filters">
        <QueryPanel collection={name} query={query} />
        <FilterPanel selections={query.selections} expert={query.expert} types={info.attributes} facets={facets} offset={where.offset}>
          <Options query={query} />
        </FilterPanel>
      </aside>
      <div className="content">
        <Toolbar found={found.data} query={query} shown={visible.length} types={info.attributes} items={info.items} loading={found.loading} />
        <Body found={found.data} error={found.error} loading={found.loading} retry={found.reload} empty={info.items === 0} gone={photos.some((photo) => photo.state === "gone")}>
          {(data) => (
            <div className={found.loading ? css["busy"] : undefined} aria-busy={found.loading}>
              {visible.length > 0 ? (
                <Results collection={name} hits={visible} query={query} />
              ) : (
                <NothingShown weak={data.hits.length} cut={query.cut} searched={isSearch(query)} />
              )}
            </div>
          )}
        </Body>
        {found.data && visible.length > 0 && (
          <div className={css["end"]}>
            <More
              loading={found.loading}
              available={found.data.hasMore && query.k < MOST_HITS && visible.length === found.data.hits.length}
              onMore={() => setParams({ k: Math.min(MOST_HITS, query.k + PAGE_OF_HITS) }, { replace: true })}
            />
            <ProvenanceLine found={found.data} info={info} />
          </div>
        )}
      </div>
      {dropping && <div className={css["dropping"]}>Drop the picture to search with it</div>}
      {help && <HelpDialog onClose={() => setHelp(false)} />}
      {query.open !== null && <ItemDialog collection={name} id={query.open} hits={visible} query={query} onSimilar={(id) => similarTo(id, params)} onClose={closeDialogs} />}
      {query.why !== null && compared && (
        <WhyDialog collection={name} compared={compared} id={query.why} name={why ? nameOf(why.id, why.attributes) : query.why} onClose={closeDialogs} />
      )}
    </main>
  );
}

interface BodyProps {
  found: Found | null;
  error: unknown;
  loading: boolean;
  retry: () => void;
  empty: boolean;
  gone: boolean;
  children: (found: Found) => ReactNode;
}

function Body({ found, error, loading, retry, empty, gone, children }: BodyProps) {
  if (empty)
    return (
      <EmptyState icon="folder" title="The collection is empty">
        Add images on the page Add: a folder, a zip or single files.
      </EmptyState>
    );
  if (error !== null && !loading) {
    const filter = error instanceof Problem && error.type === "filter";
    return filter ? (
      <EmptyState icon="filter" title="The filter expression is wrong">
        The place is marked beside “Filter expression”.
      </EmptyState>
    ) : (
      <ErrorState error={error} retry={retry} />
    );
  }
  if (found) return children(found);
  if (gone)
    return (
      <EmptyState icon="image" title="The photo is gone">
        An address holds filters and items, but not the photo itself. Choose it again.
      </EmptyState>
    );
  return <GridSkeleton tiles={18} />;
}

function NothingShown({ weak, cut, searched }: { weak: number; cut: number; searched: boolean }) {
  if (weak > 0)
    return (
      <EmptyState icon="search" title="No match is that strong" action={<Button onClick={() => setParams({ cut: null })}>Show weaker ones</Button>}>
        {weak} {weak === 1 ? "match is" : "matches are"} weaker than {Math.round(cut * 100)}%.
      </EmptyState>
    );
  return (
    <EmptyState icon="filter" title={searched ? "Nothing was found" : "No item fits the filters"}>
      Take a filter away{searched ? ", or use other words" : ""}.
    </EmptyState>
  );
}
