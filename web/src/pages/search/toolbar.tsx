import type { AttributeType, CollectionInfo } from "../../api/types";
import { setParams } from "../../state/address";
import { Select, Slider } from "../../ui/fields";
import { SetFilters } from "../../filtering/set-filters";
import { isSearch, type Query } from "./query";
import css from "./search.module.css";
import type { Found } from "./use-search";

const NUMBER = new Intl.NumberFormat("en");

interface ToolbarProps {
  found: Found | null;
  query: Query;
  shown: number;
  types: Record<string, AttributeType>;
  items: number;
  loading: boolean;
}

function summaryOf({ found, query, shown, items, loading }: ToolbarProps): string {
  if (!found) return loading ? "Searching…" : "";
  const more = found.hasMore ? "+" : "";
  if (!isSearch(query)) return `${NUMBER.format(shown)}${more} of ${NUMBER.format(items)} items`;
  const hidden = found.hits.length - shown;
  return `${NUMBER.format(shown)} ${shown === 1 ? "match" : "matches"}${hidden > 0 ? `, ${NUMBER.format(hidden)} weaker hidden` : ""}`;
}

/** How many there are, how they are grouped, and how strong a match has to be. */
export function Toolbar(props: ToolbarProps) {
  const { query, types, found } = props;
  const groupable = Object.keys(types).filter((name) => types[name] !== "list");
  const rated = isSearch(query) && (found?.hits.some((hit) => hit.strength !== null) ?? true);
  return (
    <div className="stack">
      <div className="toolbar">
        <p className={css["summary"]} role="status" data-testid="summary">
          {summaryOf(props)}
        </p>
        {rated && (
          <div className={css["cut"]}>
            <Slider
              label="Strength at least"
              min={0}
              max={1}
              step={0.01}
              value={query.cut}
              format={(value) => `${Math.round(value * 100)}%`}
              onChange={(cut) => setParams({ cut: cut === 0 ? null : cut }, { replace: true })}
            />
          </div>
        )}
        {isSearch(query) && groupable.length > 0 && (
          <div className={`${css["group"]} toolbar-end`}>
            <Select
              label="One of each"
              value={query.groupBy ?? ""}
              options={[{ value: "", label: "picture" }, ...groupable.map((name) => ({ value: name, label: name }))]}
              onChange={(name) => setParams({ group_by: name || null, k: null })}
            />
          </div>
        )}
      </div>
      <SetFilters selections={query.selections} expert={query.expert} />
    </div>
  );
}

/** What the answer rests on. */
export function ProvenanceLine({ found, info }: { found: Found; info: CollectionInfo }) {
  const encoder = found.provenance?.encoder ?? info.encoder;
  const fingerprint = found.provenance?.fingerprint ?? info.fingerprint;
  const kind = found.provenance?.index?.kind ?? info.index.kind;
  const parts = [
    `encoder ${encoder} (${fingerprint})`,
    `${kind} index of ${NUMBER.format(info.items)}`,
    found.answeredBy && `answered by ${found.answeredBy}`,
    `collection version ${found.provenance?.version ?? info.version}`,
    found.took !== null ? `${Math.round(found.took)} ms, here after ${Math.round(found.total)} ms` : `here after ${Math.round(found.total)} ms`,
  ];
  return (
    <p className="provenance" data-testid="provenance">
      {parts.filter(Boolean).join(" · ")}
    </p>
  );
}
