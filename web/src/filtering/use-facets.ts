import { readFacets } from "../api/collections";
import type { AttributeType, Facets } from "../api/types";
import { type Loaded, useLoad } from "../state/load";
import { type Selections, whereOf } from "./filters";

/**
 * Counts of every attribute. Those of an attribute in which something is chosen are counted as if nothing were chosen in
 * it: else its other values would vanish, and nobody could choose a second one.
 */
export function useFacets(collection: string, version: number, types: Record<string, AttributeType>, expert: string | null, selections: Selections): Loaded<Facets> {
  const attributes = Object.keys(types);
  const chosen = attributes.filter((attribute) => attribute in selections);
  const others = attributes.filter((attribute) => !(attribute in selections));
  const key = JSON.stringify([collection, version, attributes, expert, selections]);
  return useLoad(
    attributes.length === 0
      ? null
      : async (signal) => {
          const groups: [string[], string | null][] = chosen.map((attribute) => [[attribute], whereOf(expert, selections, types, attribute).expression]);
          if (others.length > 0) groups.push([others, whereOf(expert, selections, types).expression]);
          const answers = await Promise.all(groups.map(([names, where]) => readFacets(collection, names, where, signal)));
          const all = Object.assign({}, ...answers.map((answer) => answer.facets)) as Facets;
          return Object.fromEntries(attributes.flatMap((name) => (all[name] ? [[name, all[name]]] : [])));
        },
    [key],
  );
}
