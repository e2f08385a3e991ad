import { Button, IconButton } from "../../ui/button";
import { Checkbox, Segmented, Select, TextField } from "../../ui/fields";
import type { Tool } from "./gestures";
import type { Points } from "./points";

const TOOLS = [
  { value: "move", label: "Move" },
  { value: "lasso", label: "Lasso" },
  { value: "box", label: "Box" },
];

export interface ToolbarProps {
  points: Points;
  column: string | null;
  typed: string;
  found: ReadonlySet<number> | null;
  tool: Tool;
  pictures: boolean;
  onColumn: (column: string) => void;
  onTyped: (text: string) => void;
  onFound: () => void;
  onTool: (tool: Tool) => void;
  onPictures: (shown: boolean) => void;
  onZoom: (factor: number) => void;
  onFit: () => void;
  onLayOut: (() => void) | null;
}

export function Toolbar(props: ToolbarProps) {
  const columns = [...props.points.columns.keys()];
  return (
    <div className="map-bar">
      <h1 className="visually-hidden">Map</h1>
      <Select
        label="Colour by"
        value={props.column ?? "none"}
        options={[{ value: "none", label: "nothing" }, ...columns.map((each) => ({ value: each, label: each }))]}
        onChange={props.onColumn}
      />
      <TextField label="Find" type="search" placeholder="Id or value" value={props.typed} onChange={props.onTyped} />
      {props.found && (
        <Button small look="quiet" disabled={props.found.size === 0} onClick={props.onFound}>
          {props.found.size === 0 ? "None found" : `Select ${props.found.size.toLocaleString("en")} found`}
        </Button>
      )}
      <Segmented label="Tool" value={props.tool} options={TOOLS} onChange={(tool) => props.onTool(tool as Tool)} />
      <div className="map-zoom">
        <IconButton icon="add" label="Zoom in" onClick={() => props.onZoom(1.6)} />
        <IconButton icon="minus" label="Zoom out" onClick={() => props.onZoom(1 / 1.6)} />
        <Button small onClick={props.onFit}>
          Fit
        </Button>
      </div>
      <Checkbox label="Pictures" checked={props.pictures} onChange={props.onPictures} />
      {props.onLayOut && (
        <Button small look="quiet" icon="refresh" needs="write" onClick={props.onLayOut}>
          Lay out anew
        </Button>
      )}
    </div>
  );
}
