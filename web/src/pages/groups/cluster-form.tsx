import { type FormEvent, useState } from "react";
import type { ClusterSettings } from "../../api/groups";
import { Button } from "../../ui/button";
import { Select, TextField } from "../../ui/fields";

const GRANULARITIES = [
  { value: "auto", label: "as stands out most" },
  { value: "coarse", label: "fewer, larger groups" },
  { value: "fine", label: "more, smaller groups" },
];
const METHODS = [
  { value: "auto", label: "chosen by the number of items" },
  { value: "graph", label: "graph of neighbours" },
  { value: "density", label: "density: what is rare stays out" },
  { value: "kmeans", label: "k-means: a number of groups" },
];

/** How to group, and the button that does it. */
export function ClusterForm({ busy, known, onStart }: { busy: boolean; known: boolean; onStart: (settings: ClusterSettings) => void }) {
  const [settings, setSettings] = useState<ClusterSettings>({
    k: null,
    granularity: "auto",
    method: "auto",
    min_size: null,
    where: null,
    attribute: null,
  });
  const set = (change: Partial<ClusterSettings>) => setSettings({ ...settings, ...change });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onStart(settings);
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Select
        label="Size of groups"
        value={settings.granularity}
        options={GRANULARITIES}
        disabled={settings.k !== null}
        onChange={(value) => set({ granularity: value as ClusterSettings["granularity"] })}
      />
      <details>
        <summary>More settings</summary>
        <div className="stack groups-more">
          <TextField
            label="Number of groups"
            type="number"
            min={1}
            placeholder="found out"
            value={settings.k === null ? "" : String(settings.k)}
            onChange={(text) => set({ k: text === "" ? null : Math.max(1, Math.round(Number(text))) })}
          />
          <Select label="Method" value={settings.method} options={METHODS} onChange={(value) => set({ method: value as ClusterSettings["method"] })} />
          <TextField
            label="Least items of a group"
            type="number"
            min={2}
            placeholder="by method"
            value={settings.min_size === null ? "" : String(settings.min_size)}
            onChange={(text) => set({ min_size: text === "" ? null : Math.max(2, Math.round(Number(text))) })}
          />
          <TextField label="Only items where" placeholder="price < 300" value={settings.where ?? ""} onChange={(text) => set({ where: text || null })} />
          <TextField
            label="Write names to attribute"
            placeholder="none"
            value={settings.attribute ?? ""}
            onChange={(text) => set({ attribute: text || null })}
            hint="Each item then has the name of its group, to filter by."
          />
        </div>
      </details>
      <Button look={known ? "plain" : "primary"} type="submit" icon="groups" needs="write" disabled={busy}>
        {known ? "Group anew" : "Find groups"}
      </Button>
    </form>
  );
}
