import { useEffect, useState } from "react";
import type { AttributeType, Facet as FacetData } from "../api/types";
import { setParams } from "../state/address";
import { Checkbox, TextField } from "../ui/fields";
import { type Selection, writeSelection } from "./filters";
import css from "./filtering.module.css";

const SHOWN = 8;
/** Fewer than this many further values are shown at once. */
const SPARE = 4;

interface FacetProps {
  attribute: string;
  type: AttributeType;
  facet: FacetData;
  selection: Selection | undefined;
}

const choose = (attribute: string, selection: Selection | null) => setParams({ ...writeSelection(attribute, selection), k: null });

function Values({ attribute, facet, selection }: FacetProps) {
  const [all, setAll] = useState(false);
  const [search, setSearch] = useState("");
  const chosen = selection?.kind === "values" ? selection.values : [];
  const counted = new Map((facet.values ?? []).map((each) => [String(each.value), each.count]));
  const values = [...chosen.filter((value) => !counted.has(value)), ...counted.keys()];
  const matching = values.filter((value) => value.toLowerCase().includes(search.toLowerCase()));
  const most = matching.length <= SHOWN + SPARE ? matching.length : SHOWN;
  const shown = all || search ? matching.slice(0, 100) : matching.filter((value, at) => at < most || chosen.includes(value));
  const toggle = (value: string, on: boolean) =>
    choose(attribute, { kind: "values", values: on ? [...chosen, value] : chosen.filter((each) => each !== value) });
  return (
    <>
      {values.length > SHOWN * 2 && (
        <TextField hideLabel label={`Find a value of ${attribute}`} placeholder={`Find among ${values.length}`} value={search} onChange={setSearch} />
      )}
      {shown.map((value) => (
        <Checkbox key={value} label={labelOf(value)} checked={chosen.includes(value)} count={counted.get(value) ?? 0} onChange={(on) => toggle(value, on)} />
      ))}
      {!search && matching.length > SHOWN + SPARE && (
        <button type="button" className={css["more"]} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${matching.length - SHOWN} more`}
        </button>
      )}
    </>
  );
}

function labelOf(value: string): string {
  return { true: "yes", false: "no", "": "(empty)" }[value] ?? value;
}

function Bound({ label, value, placeholder, onDone }: { label: string; value: number | null; placeholder: string; onDone: (value: number | null) => void }) {
  const [text, setText] = useState(value === null ? "" : String(value));
  useEffect(() => setText(value === null ? "" : String(value)), [value]);
  const done = () => {
    const read = text.trim() === "" ? null : Number(text);
    if (read !== value && (read === null || Number.isFinite(read))) onDone(read);
  };
  return (
    <TextField
      label={label}
      type="number"
      step="any"
      placeholder={placeholder}
      value={text}
      onChange={setText}
      onBlur={done}
      onKeyDown={(event) => event.key === "Enter" && done()}
    />
  );
}

const short = (value: number | null | undefined) => (value === null || value === undefined ? "" : String(Math.round(value * 100) / 100));

function Range({ attribute, facet, selection }: FacetProps) {
  const range = selection?.kind === "range" ? selection : { kind: "range" as const, from: null, to: null };
  const bins = facet.histogram ?? [];
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const inside = (bin: { from: number; to: number }) => (range.from === null || bin.to > range.from) && (range.to === null || bin.from < range.to);
  return (
    <>
      {bins.length > 1 && (
        <div className={css["histogram"]}>
          {bins.map((bin) => (
            <button
              key={bin.from}
              type="button"
              className={inside(bin) ? css["bin"] : `${css["bin"]} ${css["binOut"]}`}
              aria-label={`${attribute} from ${short(bin.from)} to ${short(bin.to)}: ${bin.count}`}
              title={`${short(bin.from)} – ${short(bin.to)}: ${bin.count}`}
              onClick={() => choose(attribute, { kind: "range", from: bin.from, to: bin.to })}
            >
              <span style={{ height: `${(bin.count / most) * 100}%` }} />
            </button>
          ))}
        </div>
      )}
      <div className={css["bounds"]}>
        <Bound label="From" value={range.from} placeholder={short(facet.min)} onDone={(from) => choose(attribute, { ...range, from })} />
        <Bound label="To" value={range.to} placeholder={short(facet.max)} onDone={(to) => choose(attribute, { ...range, to })} />
      </div>
    </>
  );
}

/** One attribute to choose from: its values with counts, or a range with its histogram. */
export function Facet(props: FacetProps & { open: boolean }) {
  const { attribute, type, selection, open } = props;
  const set = selection ? (selection.kind === "range" ? 1 : selection.values.length) : 0;
  return (
    <details className={css["facet"]} open={open || set > 0}>
      <summary>
        <span>{attribute}</span>
        {set > 0 && <span className={css["set"]}>{set}</span>}
      </summary>
      <div className={css["facetBody"]} role="group" aria-label={attribute}>
        {type === "number" || type === "integer" ? <Range {...props} /> : <Values {...props} />}
      </div>
    </details>
  );
}
