import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { thumbnailUrl } from "../../api/collections";
import type { AttributeValue } from "../../api/types";
import { setParams, useAddress } from "../../state/address";
import { useCollection } from "../../state/collection";
import { useIsDark } from "../../state/theme";
import { LabelDialog } from "../../ui/label-dialog";
import { find } from "./finding";
import type { Tool } from "./gestures";
import { Legend } from "./legend";
import type { Points } from "./points";
import { Selection } from "./selection";
import { Stage, type StageHandle } from "./stage";
import { Toolbar } from "./toolbar";
import { statesOf, useColours } from "./use-colours";

/** Pictures in view that are listed beside the map. */
const MOST_IN_VIEW = 480;

export interface MapViewProps {
  points: Points;
  /** Of the clusters, by their number. */
  names: ReadonlyMap<string, string>;
  onChanged: () => void;
  /** Lay everything out anew; null while that is under way. */
  onLayOut: (() => void) | null;
}

export function MapView({ points, names, onChanged, onLayOut }: MapViewProps) {
  const { name } = useCollection();
  const { params } = useAddress();
  const dark = useIsDark();
  const column = columnOf(points, params.get("colour"));
  const typed = params.get("find") ?? "";
  const wanted = useDeferredValue(typed);
  const [tool, setTool] = useState<Tool>("move");
  const [pictures, setPictures] = useState(true);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [focused, setFocused] = useState(-1);
  const [inView, setInView] = useState<{ count: number; listed: number[] }>({ count: 0, listed: [] });
  const [labelling, setLabelling] = useState(false);
  const stage = useRef<StageHandle>(null);

  const colours = useColours(points, column, dark ? "dark" : "light", column === "cluster" ? names : undefined);
  const found = useMemo(() => find(points, wanted), [points, wanted]);
  const states = useMemo(
    () => statesOf(points.ids.length, colours.by, colours.hidden, found, selected),
    [points, colours.by, colours.hidden, found, selected],
  );
  const chosen = useMemo(() => (selected.size > 0 ? [...selected] : inView.listed), [selected, inView]);
  useEffect(() => {
    setSelected(new Set());
    setFocused(-1);
  }, [points.ids]);

  const thumbnail = useCallback((point: number) => thumbnailUrl(name, points.ids[point]!), [name, points]);
  const about = useCallback(
    (point: number) => (column === null ? null : said(points.columns.get(column)?.[point] ?? null, column === "cluster" ? names : undefined)),
    [points, column, names],
  );
  const select = useCallback((found: number[], add: boolean) => {
    setSelected((before) => (add ? toggled(before, found) : new Set(found)));
    if (found.length === 1) setFocused(found[0]!);
  }, []);
  const rest = useCallback(() => {
    const all = stage.current?.inView() ?? [];
    setInView({ count: all.length, listed: all.sort((a, b) => a - b).slice(0, MOST_IN_VIEW) });
  }, []);
  const focus = (point: number) => {
    setFocused(point);
    stage.current?.reveal(point);
  };

  return (
    <>
      <Toolbar
        points={points}
        column={column}
        typed={typed}
        found={found}
        tool={tool}
        pictures={pictures}
        onColumn={(next) => setParams({ colour: next }, { replace: true })}
        onTyped={(text) => setParams({ find: text }, { replace: true })}
        onFound={() => (select([...(found ?? [])], false), stage.current?.fit([...(found ?? [])]))}
        onTool={setTool}
        onPictures={setPictures}
        onZoom={(factor) => stage.current?.zoomBy(factor)}
        onFit={() => stage.current?.fit()}
        onLayOut={onLayOut}
      />
      <div className="map-body">
        <Stage
          ref={stage}
          points={points}
          colours={colours.colours}
          states={states}
          ring={dark ? "#ffffff" : "#16181d"}
          tool={tool}
          pictures={pictures}
          thumbnail={thumbnail}
          about={about}
          focused={focused}
          onFocus={setFocused}
          onSelect={select}
          onRest={rest}
        />
        <aside className="map-side" aria-label="Legend and pictures" tabIndex={0}>
          {colours.by && (
            <section aria-label="Legend">
              <h2>{column}</h2>
              <Legend by={colours.by} palette={colours.palette} hidden={colours.hidden} onToggle={colours.toggle} onOnly={colours.only} onAll={colours.all} />
            </section>
          )}
          <Selection
            key={selected.size > 0 ? "selected" : "view"}
            collection={name}
            points={points}
            chosen={chosen}
            count={selected.size > 0 ? selected.size : inView.count}
            selected={selected.size > 0}
            focused={focused}
            thumbnail={thumbnail}
            onFocus={focus}
            onToggle={(point) => select([point], true)}
            onShow={() => stage.current?.fit(chosen)}
            onClear={() => select([], false)}
            onLabel={() => setLabelling(true)}
          />
        </aside>
      </div>
      {labelling && (
        <LabelDialog
          ids={chosen.map((point) => points.ids[point]!)}
          onClose={() => setLabelling(false)}
          onDone={(attribute) => {
            setLabelling(false);
            setParams({ colour: attribute }, { replace: true });
            onChanged();
          }}
        />
      )}
    </>
  );
}

/** One point more or less; of several those that are missing are added. */
function toggled(before: ReadonlySet<number>, found: readonly number[]): ReadonlySet<number> {
  const next = new Set(before);
  if (found.length === 1 && next.delete(found[0]!)) return next;
  for (const point of found) next.add(point);
  return next;
}

/** What the map is coloured by: as the address says, else clusters, else an attribute of few values. */
function columnOf(points: Points, asked: string | null): string | null {
  if (asked === "none") return null;
  if (asked !== null && points.columns.has(asked)) return asked;
  if (points.columns.has("cluster")) return "cluster";
  for (const [name, values] of points.columns) {
    const kinds = new Set(values.filter((value) => typeof value === "string" || typeof value === "boolean"));
    if (kinds.size > 1 && kinds.size <= 12) return name;
  }
  return null;
}

function said(value: AttributeValue, names?: ReadonlyMap<string, string>): string | null {
  if (value === null) return null;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && !names) return value.toLocaleString("en");
  return Array.isArray(value) ? value.join(", ") : (names?.get(String(value)) ?? String(value));
}
