import { setParams } from "../../state/address";
import { Segmented, Select, Slider } from "../../ui/fields";
import { hasPicture, type Query, type Regions } from "./query";
import css from "../../filtering/filtering.module.css";

const REGIONS = [
  { value: "whole", label: "Whole" },
  { value: "pooled", label: "Pooled" },
  { value: "windows", label: "Windows" },
];

const COST: Record<Regions, string> = {
  whole: "The picture as a whole: the fastest.",
  pooled: "Also 30 regions of the same pass: costs next to nothing.",
  windows: "Also overlapping windows, for things shown small or among others: 5 to 12 times the encoding.",
};

const RERANKINGS = [
  { value: "none", label: "As found" },
  { value: "alpha-qe", label: "Query expansion" },
  { value: "dba", label: "Joined with neighbours" },
  { value: "k-reciprocal", label: "Shared neighbours" },
];

const RECALLS = [
  { value: "", label: "As the index does" },
  { value: "0.8", label: "Faster: 80% of the nearest" },
  { value: "0.99", label: "Surer: 99% of the nearest" },
  { value: "1", label: "Exactly: every item is compared" },
];

/** How the search is done. */
export function Options({ query }: { query: Query }) {
  return (
    <details className={css["facet"]} open={query.regions !== "whole" || query.diversity > 0 || query.rerank !== "none" || query.recall !== null}>
      <summary>
        <span>Search options</span>
      </summary>
      <div className={`${css["facetBody"]} ${css["spaced"]}`}>
        {hasPicture(query) && (
          <Segmented
            label="Parts of the picture"
            value={query.regions}
            options={REGIONS}
            hint={COST[query.regions]}
            onChange={(regions) => setParams({ regions: regions === "whole" ? null : regions })}
          />
        )}
        <Slider
          label="Diversity"
          min={0}
          max={1}
          step={0.1}
          value={query.diversity}
          format={(value) => (value === 0 ? "none" : value.toFixed(1))}
          hint="Higher: hits differ more from each other."
          onChange={(value) => setParams({ diversity: value === 0 ? null : value }, { replace: true })}
        />
        <Select
          label="Order of the 100 best"
          value={query.rerank}
          options={RERANKINGS}
          hint="The others help where things have several pictures."
          onChange={(value) => setParams({ rerank: value === "none" ? null : value })}
        />
        <Select
          label="Recall"
          value={query.recall === null ? "" : String(query.recall)}
          options={RECALLS}
          hint="How many of the truly nearest items are found. It matters where an index answers, in collections of some ten thousand items and more."
          onChange={(value) => setParams({ recall: value || null })}
        />
      </div>
    </details>
  );
}
