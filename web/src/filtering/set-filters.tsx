import { setParams } from "../state/address";
import { type ChipEntry, Chips } from "../ui/chips";
import { type Selections, writeSelection } from "./filters";

function selectionChips(selections: Selections): ChipEntry[] {
  return Object.entries(selections).flatMap(([attribute, selection]): ChipEntry[] => {
    if (selection.kind === "range") {
      const text = `${attribute} ${selection.from ?? "…"} – ${selection.to ?? "…"}`;
      return [{ key: attribute, label: text, name: text, onRemove: () => setParams({ ...writeSelection(attribute, null), k: null }) }];
    }
    return selection.values.map((value) => {
      const text = `${attribute}: ${value}`;
      const rest = selection.values.filter((each) => each !== value);
      return { key: text, label: text, name: text, onRemove: () => setParams({ ...writeSelection(attribute, { kind: "values", values: rest }), k: null }) };
    });
  });
}

/** The filters that are set, each with a button that takes it away. */
export function SetFilters({ selections, expert }: { selections: Selections; expert: string | null }) {
  const entries = selectionChips(selections);
  if (expert) entries.push({ key: "where", label: expert, name: "the filter expression", onRemove: () => setParams({ where: null, k: null }) });
  return <Chips label="Filters that are set" entries={entries} />;
}
