import { type FormEvent, type ReactNode, useMemo, useState } from "react";
import { type Duplicates as Found, type DuplicateSettings, duplicatesPath, readDuplicates } from "../../api/groups";
import { removeItems } from "../../api/items";
import { Problem } from "../../api/problem";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { useLoad } from "../../state/load";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Segmented, Slider, TextField } from "../../ui/fields";
import { JobProgress } from "../../ui/job-progress";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { toast, toastError } from "../../ui/toasts";
import { type Turned, toRemove } from "./choices";
import { DuplicateRow } from "./duplicate-row";

const KINDS = [
  { value: "near", label: "Edits too" },
  { value: "exact", label: "Same bytes" },
];

export function Duplicates({ switcher }: { switcher: ReactNode }) {
  const { name, info, refresh } = useCollection();
  const running = useJob<Found>();
  const [after, setAfter] = useState(0);
  const copies = useLoad((signal) => readDuplicates(name, after, { signal }), [name, after, info.version]);
  const absent = copies.error instanceof Problem && copies.error.type === "not-fitted";
  const found = absent ? null : copies.data;
  const start = async (settings: DuplicateSettings) => {
    if ((await running.start(duplicatesPath(name), settings)) === null) return;
    setAfter(0);
    copies.reload();
  };
  return (
    <>
      <div className="sidebar">
        {switcher}
        <DuplicateForm busy={running.busy} known={found !== null} onStart={(settings) => void start(settings)} />
      </div>
      <div className="content">
        <JobProgress running={running} label="Comparing pictures" />
        {found && found.details.length > 0 ? (
          <DuplicateList found={found} onRemoved={() => (refresh(), copies.reload())} />
        ) : found ? (
          <EmptyState icon="check" title="No copies">
            None of {found.items.toLocaleString("en")} pictures is a copy or an edit of another one.
          </EmptyState>
        ) : absent ? (
          <EmptyState icon="groups" title="Copies were not looked for yet">
            Copies are the same picture in another size, cropped, compressed, mirrored, brighter or darker; another view of a thing is none. Nothing is removed
            before you say so.
          </EmptyState>
        ) : copies.error ? (
          <ErrorState error={copies.error} retry={copies.reload} />
        ) : (
          <Loading label="Reading the copies" />
        )}
        {found && (after > 0 || found.next !== null) && (
          <div className="row groups-next">
            <Button disabled={after === 0} onClick={() => setAfter(Math.max(0, after - 100))}>
              Before
            </Button>
            <Button disabled={found.next === null} onClick={() => setAfter(found.next ?? 0)}>
              Next
            </Button>
          </div>
        )}
      </div>
    </>
  );
}

function DuplicateForm({ busy, known, onStart }: { busy: boolean; known: boolean; onStart: (settings: DuplicateSettings) => void }) {
  const [kind, setKind] = useState<DuplicateSettings["kind"]>("near");
  const [precision, setPrecision] = useState(0.99);
  const [where, setWhere] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onStart({ kind, precision: kind === "near" ? precision : null, threshold: null, where: where.trim() || null });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Segmented label="Look for" value={kind} options={KINDS} onChange={(value) => setKind(value as DuplicateSettings["kind"])} />
      {kind === "near" && (
        <Slider
          label="Sure to be copies"
          value={precision}
          min={0.8}
          max={0.999}
          step={0.001}
          format={(value) => `${(value * 100).toFixed(1)}%`}
          onChange={setPrecision}
          hint="Lower finds more, with more that are none."
        />
      )}
      <TextField label="Only items where" placeholder="price < 300" value={where} onChange={setWhere} />
      <Button look={known ? "plain" : "primary"} type="submit" icon="search" needs="write" disabled={busy}>
        {known ? "Look again" : "Look for copies"}
      </Button>
    </form>
  );
}

function DuplicateList({ found, onRemoved }: { found: Found; onRemoved: () => void }) {
  const { name } = useCollection();
  const [turned, setTurned] = useState<Turned>(new Set());
  const [asking, setAsking] = useState(false);
  const [removing, setRemoving] = useState(false);
  const gone = useMemo(() => toRemove(found.details, turned), [found.details, turned]);
  const remove = async () => {
    setRemoving(true);
    try {
      const removed = await removeItems(name, gone);
      toast(removed === 1 ? "1 copy was removed" : `${removed.toLocaleString("en")} copies were removed`);
      setTurned(new Set());
      onRemoved();
    } catch (error) {
      toastError(error);
    }
    setRemoving(false);
    setAsking(false);
  };
  return (
    <>
      <div className="toolbar">
        <h2>
          {found.details.length.toLocaleString("en")} {found.details.length === 1 ? "group" : "groups"} of copies
        </h2>
        {found.recall !== null && (
          <span className="count" title="Share of edits of some of the collection's own pictures that were found again">
            about {Math.round(found.recall * 100)}% of edits are found
          </span>
        )}
        <div className="toolbar-end">
          <Button look="danger" icon="trash" needs="write" disabled={gone.length === 0} onClick={() => setAsking(true)}>
            Remove {gone.length.toLocaleString("en")}
          </Button>
        </div>
      </div>
      <ul className="stack" aria-label="Groups of copies">
        {found.details.map((group) => (
          <DuplicateRow key={group.ids.join("\n")} group={group} turned={turned} onTurned={setTurned} />
        ))}
      </ul>
      {asking && (
        <Dialog
          title={`Remove ${gone.length.toLocaleString("en")} ${gone.length === 1 ? "copy" : "copies"}?`}
          onClose={() => setAsking(false)}
          footer={
            <>
              <Button onClick={() => setAsking(false)}>Keep everything</Button>
              <Button look="danger" icon="trash" disabled={removing} onClick={() => void remove()}>
                Remove {gone.length.toLocaleString("en")}
              </Button>
            </>
          }
        >
          <p>
            They leave the collection and cannot be brought back from here: there is no undo. The image files stay where they are; adding them again makes them
            items again.
          </p>
        </Dialog>
      )}
    </>
  );
}
