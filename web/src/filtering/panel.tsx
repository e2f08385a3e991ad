import { type ReactNode, useState } from "react";
import type { AttributeType, Facet as FacetData, Facets } from "../api/types";
import { setParams } from "../state/address";
import type { Loaded } from "../state/load";
import { Button } from "../ui/button";
import { ErrorState } from "../ui/states";
import { Problem } from "../api/problem";
import { ExpertFilter } from "./expert-filter";
import { Facet } from "./facet";
import { type Selections, writeSelection } from "./filters";
import css from "./filtering.module.css";

const OPEN_AT_FIRST = 3;

/** Whether choosing from an attribute leads anywhere: not if nearly every item has a value of its own. */
export function isUseful(facet: FacetData): boolean {
  if (facet.type === "number" || facet.type === "integer") return facet.min !== facet.max && facet.min !== null && facet.min !== undefined;
  const values = facet.values ?? [];
  return values.length > 0 && (values[0]?.count ?? 0) > 3;
}

export function countSelections(selections: Selections, expert: string | null): number {
  const chosen = Object.values(selections).reduce((sum, each) => sum + (each.kind === "range" ? 1 : each.values.length), 0);
  return chosen + (expert ? 1 : 0);
}

interface FilterPanelProps {
  selections: Selections;
  expert: string | null;
  types: Record<string, AttributeType>;
  facets: Loaded<Facets>;
  /** Where the expert's part begins in the expression that was sent. */
  offset: number;
  /** Further choices of the page, below the filters. */
  children?: ReactNode;
}

const FEW = 16;

/** Which attributes to show first: those with few values, then numbers, then the long lists. */
function rank(facet: FacetData): number {
  if (facet.type === "number" || facet.type === "integer") return 1;
  return (facet.values?.length ?? 0) <= FEW ? 0 : 2;
}

/** Facets and the filter expression; folded away on phones. */
export function FilterPanel({ selections, expert, types, facets, offset, children }: FilterPanelProps) {
  const [shown, setShown] = useState(false);
  const count = countSelections(selections, expert);
  const clear = () => {
    const none = Object.fromEntries(Object.keys(selections).flatMap((name) => Object.entries(writeSelection(name, null))));
    setParams({ ...none, where: null, k: null });
  };
  const entries = Object.entries(facets.data ?? {});
  const useful = entries.filter(([name, facet]) => name in selections || isUseful(facet)).sort(([, a], [, b]) => rank(a) - rank(b));
  const other = entries.filter(([name, facet]) => !(name in selections) && !isUseful(facet) && (facet.values?.length ?? 0) > 0);
  const filterIsWrong = facets.error instanceof Problem && facets.error.type === "filter";
  return (
    <section className={css["filters"]} aria-label="Filters">
      <Button className={css["phoneOnly"]} icon="filter" aria-expanded={shown} onClick={() => setShown(!shown)}>
        {count > 0 ? `Filters and options (${count})` : "Filters and options"}
      </Button>
      <div className={shown ? css["filterBody"] : `${css["filterBody"]} ${css["phoneHidden"]}`} aria-busy={facets.loading}>
        <div className={css["filterHead"]}>
          <h2>Filters</h2>
          {count > 0 && (
            <Button small look="quiet" onClick={clear}>
              Clear all
            </Button>
          )}
        </div>
        {facets.error !== null && !filterIsWrong && <ErrorState error={facets.error} retry={facets.reload} />}
        {useful.map(([name, facet], at) => (
          <Facet key={name} attribute={name} type={types[name] ?? facet.type} facet={facet} selection={selections[name]} open={at < OPEN_AT_FIRST && rank(facet) < 2} />
        ))}
        {other.map(([name, facet]) => (
          <Facet key={name} attribute={name} type={types[name] ?? facet.type} facet={facet} selection={selections[name]} open={false} />
        ))}
        {Object.keys(types).length === 0 && <p className="hint">The items have no attributes. An attributes table, given when they are added, makes filters.</p>}
        <ExpertFilter expert={expert} error={facets.error} offset={offset} />
        {children}
      </div>
    </section>
  );
}
