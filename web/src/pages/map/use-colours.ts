import { useCallback, useMemo, useState } from "react";
import type { AttributeValue } from "../../api/types";
import { type Colouring, colouring, paletteOf, pointColours, spacedPalette, type Theme } from "./colouring";
import type { Points } from "./points";
import { DIMMED, HIDDEN, MARKED } from "./renderer";

export interface Colours {
  by: Colouring | null;
  palette: ReadonlyMap<number, string>;
  colours: Uint8Array;
  hidden: ReadonlySet<number>;
  toggle: (category: number) => void;
  only: (category: number) => void;
  all: () => void;
}

/** How the points are coloured by one of their columns, and which categories are shown. */
export function useColours(points: Points, column: string | null, theme: Theme, names?: ReadonlyMap<string, string>): Colours {
  const values: readonly AttributeValue[] | undefined = column === null ? undefined : points.columns.get(column);
  const by = useMemo(() => (values ? colouring(values, names) : null), [values, names]);
  const [hidden, setHidden] = useState<{ of: Colouring | null; codes: ReadonlySet<number> }>({ of: null, codes: new Set() });
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const count = by?.kind === "categories" ? by.categories.length : 0;
  const codes = useMemo(() => (hidden.of === by ? hidden.codes : new Set<number>()), [hidden, by]);
  const palette = useMemo(
    () => (names && by?.kind === "categories" ? spacedPalette(by, points.x, points.y, theme) : paletteOf(count, chosen, theme)),
    [names, by, points, count, chosen, theme],
  );
  const colours = useMemo(() => pointColours(points.ids.length, by, palette, theme), [points, by, palette, theme]);

  const toggle = useCallback(
    (category: number) => {
      const next = new Set(codes);
      if (!next.delete(category)) next.add(category);
      setHidden({ of: by, codes: next });
    },
    [by, codes],
  );
  const only = useCallback(
    (category: number) => {
      setChosen((now) => [...now.filter((each) => each !== category), category]);
      setHidden({ of: by, codes: new Set(Array.from({ length: count }, (_, code) => code).filter((code) => code !== category)) });
    },
    [by, count],
  );
  const all = useCallback(() => setHidden({ of: by, codes: new Set() }), [by]);
  return { by, palette, colours, hidden: codes, toggle, only, all };
}

/** The state bits of each point. Points without a value hide as soon as any category does. */
export function statesOf(
  count: number,
  by: Colouring | null,
  hidden: ReadonlySet<number>,
  found: ReadonlySet<number> | null,
  selected: ReadonlySet<number>,
): Uint8Array {
  const states = new Uint8Array(count);
  const codes = by?.kind === "categories" && hidden.size > 0 ? by.codes : null;
  for (let point = 0; point < count; point++) {
    let state = codes && (codes[point]! < 0 || hidden.has(codes[point]!)) ? HIDDEN : 0;
    if (selected.has(point)) state |= MARKED;
    if (found && !found.has(point)) state |= DIMMED;
    else if (found && found.size <= 2000) state |= MARKED;
    states[point] = state;
  }
  return states;
}
