import { useState } from "react";
import { Button } from "../../ui/button";
import type { Colouring, Scale } from "./colouring";
import { scaleColour } from "./colouring";

/** Categories listed before "more" is pressed. */
const FIRST = 12;
/** Colours that can be told apart. */
const EASILY_TOLD = 9;

export interface LegendProps {
  by: Colouring;
  palette: ReadonlyMap<number, string>;
  hidden: ReadonlySet<number>;
  onToggle: (category: number) => void;
  /** Show one category alone, or all again. */
  onOnly: (category: number) => void;
  onAll: () => void;
}

export function Legend(props: LegendProps) {
  return props.by.kind === "scale" ? <ScaleLegend by={props.by} /> : <CategoryLegend {...props} categories={props.by.categories} />;
}

const format = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

function ScaleLegend({ by }: { by: Scale }) {
  const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => `rgb(${scaleColour(share).join(" ")}) ${share * 100}%`);
  return (
    <div className="map-scale">
      <div className="map-scale-bar" style={{ background: `linear-gradient(90deg, ${stops.join(", ")})` }} aria-hidden="true" />
      <div className="field-line numbers">
        <span>{format(by.low)}</span>
        <span>{format(by.high)}</span>
      </div>
      <p className="hint">
        {by.logarithmic && "Equal ratios are equally far apart. "}
        {by.missing > 0 && `${by.missing.toLocaleString("en")} without a number are grey.`}
      </p>
    </div>
  );
}

function CategoryLegend(props: LegendProps & { categories: readonly { name: string; count: number }[] }) {
  const { categories, palette, hidden, by } = props;
  const [all, setAll] = useState(false);
  const [wanted, setWanted] = useState("");
  const matching = categories
    .map((category, code) => ({ ...category, code }))
    .filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  const shown = all || wanted ? matching.slice(0, 200) : matching.slice(0, FIRST);
  return (
    <div className="map-legend">
      {categories.length > FIRST && (
        <input
          type="search"
          className="map-legend-find"
          placeholder={`Find among ${categories.length}`}
          aria-label="Find a value of the legend"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      )}
      <ul>
        {shown.map(({ name, count, code }) => (
          <li key={code} className={hidden.has(code) ? "map-value map-value-hidden" : "map-value"}>
            <label className="checkbox">
              <input type="checkbox" checked={!hidden.has(code)} onChange={() => props.onToggle(code)} />
              <span className={palette.has(code) ? "map-dot" : "map-dot map-dot-grey"} style={{ background: palette.get(code) }} />
              <span className="checkbox-label" title={name}>
                {name}
              </span>
              <span className="count">{count.toLocaleString("en")}</span>
            </label>
            <button type="button" className="map-only" onClick={() => props.onOnly(code)} aria-label={`Show only ${name}`}>
              only
            </button>
          </li>
        ))}
      </ul>
      <div className="row">
        {!wanted && matching.length > FIRST && (
          <Button small look="quiet" onClick={() => setAll(!all)}>
            {all ? "Fewer" : `All ${categories.length}`}
          </Button>
        )}
        {hidden.size > 0 && (
          <Button small look="quiet" onClick={props.onAll}>
            Show everything
          </Button>
        )}
      </div>
      {by.missing > 0 && <p className="hint">{by.missing.toLocaleString("en")} have no value; they are grey.</p>}
      {categories.length > palette.size && (
        <p className="hint">Nine colours can be told apart: the most frequent have them, and whatever you show with “only”.</p>
      )}
      {palette.size > EASILY_TOLD && <p className="hint">Colours repeat; groups of one colour lie far apart.</p>}
    </div>
  );
}
