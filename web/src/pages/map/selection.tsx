import { useState } from "react";
import { Link } from "../../shell/link";
import { Button, IconButton } from "../../ui/button";
import { ForbiddenNote } from "../../ui/forbidden";
import { asCsv, asJson, download } from "./exporting";
import type { Points } from "./points";

const PAGE = 48;

export interface SelectionProps {
  collection: string;
  points: Points;
  /** What is listed: the selected points, or when there are none those in view. */
  chosen: readonly number[];
  selected: boolean;
  /** How many there are, of which the first may be listed only. */
  count: number;
  focused: number;
  thumbnail: (point: number) => string;
  onFocus: (point: number) => void;
  onToggle: (point: number) => void;
  onShow: () => void;
  onClear: () => void;
  onLabel: () => void;
}

/** The selected pictures and what can be done with them; without a selection, those in view. */
export function Selection(props: SelectionProps) {
  const { points, chosen, selected, collection } = props;
  const [pages, setPages] = useState(1);
  const count = props.count.toLocaleString("en");
  const save = (kind: "csv" | "json") => {
    const text = kind === "csv" ? asCsv(points, chosen) : asJson(points, chosen);
    download(`${collection}-selection.${kind}`, kind === "csv" ? "text/csv" : "application/json", text);
  };
  return (
    <section className="map-chosen" aria-label={selected ? "Selected pictures" : "Pictures in view"}>
      <div className="row spread">
        <h2>{selected ? `${count} selected` : `${count} in view`}</h2>
        {selected && <IconButton small icon="close" label="Select nothing" onClick={props.onClear} />}
      </div>
      {selected ? (
        <div className="row">
          <Button small look="primary" icon="labels" needs="write" onClick={props.onLabel}>
            Label
          </Button>
          <Button small icon="download" onClick={() => save("csv")}>
            CSV
          </Button>
          <Button small icon="download" onClick={() => save("json")}>
            JSON
          </Button>
          <Button small icon="map" onClick={props.onShow}>
            Zoom to
          </Button>
        </div>
      ) : (
        <p className="hint">Draw around pictures with lasso or box, or click on them, to label or export them.</p>
      )}
      <ForbiddenNote needs="write" />
      <ul className="map-list">
        {chosen.slice(0, pages * PAGE).map((point) => (
          <li key={point} className={point === props.focused ? "map-entry map-entry-focused" : "map-entry"}>
            <button type="button" onClick={() => props.onFocus(point)} title={points.ids[point]}>
              <img src={props.thumbnail(point)} alt={points.ids[point]} loading="lazy" decoding="async" />
            </button>
            <Link className="map-similar" page="search" params={{ collection, id: points.ids[point]! }} aria-label={`Search similar to ${points.ids[point]}`}>
              Similar
            </Link>
            <IconButton
              small
              icon={selected ? "close" : "check"}
              label={`${selected ? "Take out" : "Select"} ${points.ids[point]}`}
              onClick={() => props.onToggle(point)}
            />
          </li>
        ))}
      </ul>
      {chosen.length > pages * PAGE && (
        <Button small onClick={() => setPages(pages + 1)}>
          Show more
        </Button>
      )}
    </section>
  );
}
