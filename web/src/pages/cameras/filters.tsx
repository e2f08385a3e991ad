import type { IdentityFilter } from "../../api/cameras";
import { setParams } from "../../state/address";
import { Button } from "../../ui/button";
import { Segmented, Select, TextField } from "../../ui/fields";

const NAMED = [
  { value: "", label: "All" },
  { value: "yes", label: "Named" },
  { value: "no", label: "Unknown" },
];

export function readFilter(params: URLSearchParams): IdentityFilter {
  const named = params.get("named");
  const time = (name: string) => {
    const text = params.get(name);
    return text !== null && Number.isFinite(Date.parse(text)) ? text : null;
  };
  return { from: time("from"), to: time("to"), camera: params.get("camera"), named: named === "yes" ? true : named === "no" ? false : null };
}

/** Camera, time, and whether they have a name; kept in the address. */
export function Filters({ cameras, filter, named }: { cameras: readonly string[]; filter: IdentityFilter; named: boolean }) {
  const any = filter.from ?? filter.to ?? filter.camera ?? filter.named;
  return (
    <section className="stack" aria-label="Filters">
      <Select
        label="Camera"
        value={filter.camera ?? ""}
        options={[{ value: "", label: "all cameras" }, ...cameras.map((each) => ({ value: each, label: each }))]}
        onChange={(camera) => setParams({ camera })}
      />
      <TextField label="From" type="datetime-local" step={1} value={local(filter.from)} onChange={(text) => setParams({ from: moment(text) }, { replace: true })} />
      <TextField label="To" type="datetime-local" step={1} value={local(filter.to)} onChange={(text) => setParams({ to: moment(text) }, { replace: true })} />
      {named && (
        <Segmented
          label="Who"
          value={filter.named === null ? "" : filter.named ? "yes" : "no"}
          options={NAMED}
          onChange={(value) => setParams({ named: value || null })}
        />
      )}
      {any !== null && (
        <Button small look="quiet" onClick={() => setParams({ camera: null, from: null, to: null, named: null })}>
          Clear the filters
        </Button>
      )}
    </section>
  );
}

/** A time as `datetime-local` wants it, in the zone of the one who looks. */
function local(iso: string | null): string {
  if (iso === null) return "";
  const time = new Date(iso);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function moment(text: string): string | null {
  const time = Date.parse(text);
  return Number.isFinite(time) ? new Date(time).toISOString() : null;
}
