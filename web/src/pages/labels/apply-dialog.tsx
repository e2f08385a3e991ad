import { type FormEvent, useState } from "react";
import { applyPath, type ClassifierSummary } from "../../api/labels";
import { attributeName } from "../../filtering/filters";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Checkbox, TextField } from "../../ui/fields";
import { JobProgress } from "../../ui/job-progress";

interface Applied {
  attribute: string;
  confidence_attribute: string;
  items: number;
  counts: Record<string, number>;
}

/** Writes a classifier's labels to items. */
export function ApplyDialog({ classifier, attribute, onClose }: { classifier: ClassifierSummary; attribute: string; onClose: () => void }) {
  const { name, info, refresh } = useCollection();
  const [target, setTarget] = useState(`${classifier.name}_predicted`);
  const [unlabelled, setUnlabelled] = useState(attribute in info.attributes);
  const [done, setDone] = useState<Applied | null>(null);
  const running = useJob<Applied>();
  const exists = target.trim() in info.attributes;
  const start = async (event: FormEvent) => {
    event.preventDefault();
    const where = unlabelled ? `${attributeName(attribute)} is null` : null;
    const applied = await running.start(applyPath(name, classifier.name), { attribute: target.trim(), where, overwrite: exists });
    if (applied === null) return;
    setDone(applied);
    refresh();
  };
  return (
    <Dialog title={`Apply ${classifier.name}`} onClose={onClose}>
      {done ? (
        <div className="stack">
          <p>
            {done.items.toLocaleString("en")} items have a label under <code>{done.attribute}</code> and how sure it is under <code>{done.confidence_attribute}</code>.
          </p>
          <ul className="applied-counts">
            {Object.entries(done.counts).map(([label, count]) => (
              <li key={label}>
                <span>{label}</span>
                <span className="count">{count.toLocaleString("en")}</span>
              </li>
            ))}
          </ul>
          <div className="form-actions">
            <Button look="primary" onClick={onClose}>
              Close
            </Button>
          </div>
        </div>
      ) : (
        <form className="stack" onSubmit={(event) => void start(event)}>
          <TextField
            label="Write labels to attribute"
            required
            value={target}
            onChange={setTarget}
            hint={exists ? "This attribute exists: its values are overwritten." : "A second attribute says how sure each label is."}
          />
          <Checkbox label={`Only items without ${attribute}`} checked={unlabelled} onChange={setUnlabelled} />
          <JobProgress running={running} label="Labelling" />
          <div className="form-actions">
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" type="submit" disabled={running.busy || target.trim() === ""}>
              Apply
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
