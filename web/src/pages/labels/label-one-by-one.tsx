import { useEffect, useState } from "react";
import { listItems, originalUrl, readFacets } from "../../api/collections";
import { type Review, reviewPath } from "../../api/labels";
import { attributeName } from "../../filtering/filters";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { useLoad } from "../../state/load";
import { Button } from "../../ui/button";
import { JobProgress } from "../../ui/job-progress";
import { EmptyState } from "../../ui/states";
import { toast, toastError } from "../../ui/toasts";
import { Classes } from "./classes";
import { useKeys } from "./keys";
import { classOfKey, current, unsaved } from "./queue";
import { useQueue } from "./use-queue";

const COUNT = 40;

/** One picture at a time, the most informative first; a class is a key. */
export function LabelOneByOne({ attribute }: { attribute: string }) {
  const { name, info, refresh } = useCollection();
  const known = attribute in info.attributes;
  const facets = useLoad(known ? (signal) => readFacets(name, [attribute], null, signal) : null, [name, attribute, known]);
  const [classes, setClasses] = useState<readonly string[]>([]);
  const [asking, setAsking] = useState(false);
  const [nothing, setNothing] = useState(false);
  const [suggested, setSuggested] = useState<ReadonlyMap<string, string>>(new Map());
  const running = useJob<Review>();
  const { queue, saving, ...acts } = useQueue(name, attribute);

  // A class keeps its key for as long as the page is open, whatever comes to be the most frequent.
  useEffect(() => {
    const found = facets.data?.facets[attribute]?.values?.map(({ value }) => String(value)) ?? [];
    setClasses((now) => [...now, ...found.filter((each) => !now.includes(each)).sort()]);
  }, [facets.data, attribute]);
  const id = current(queue);
  const labelled = queue.said.filter(({ label }) => label !== null).length;

  /** The items that would teach most; while there are no two classes to learn from, those without a label as they come. */
  const ask = async () => {
    if (!(await acts.save())) return;
    setAsking(true);
    setNothing(false);
    try {
      const enough = classes.length >= 2 && known;
      const review = enough ? await running.start(reviewPath(name), { label: attribute, count: COUNT }) : null;
      if (enough && review === null) return;
      const ids = review?.to_label.map((each) => each.id) ?? (await withoutLabel());
      setSuggested(new Map(review?.to_label.map((each) => [each.id, `${each.likeliest}, ${Math.round(each.probability * 100)}%`])));
      setNothing(ids.length === 0);
      acts.fill(ids);
      facets.reload();
    } catch (error) {
      toastError(error);
    } finally {
      setAsking(false);
    }
  };
  const withoutLabel = async () => {
    const where = known ? `${attributeName(attribute)} is null` : null;
    return (await listItems(name, { where, limit: COUNT })).items.map((item) => item.id);
  };
  const finish = async () => {
    if (!(await acts.save())) return;
    acts.fill([]);
    refresh();
    toast(`${labelled} labels are saved`);
  };
  const addClass = (label: string) => {
    setClasses((now) => (now.includes(label) ? now : [...now, label]));
    acts.say(label);
  };
  const [typing, setTyping] = useState(false);
  useKeys((key) => {
    const label = classOfKey(key, classes);
    if (id !== null && label !== null) acts.say(label);
    else if (id !== null && (key === "0" || key === "n")) setTyping(true);
    else if (id !== null && key === "s") acts.say(null);
    else if (key === "u") acts.undo();
    else return false;
    return true;
  });

  const waiting = Object.keys(unsaved(queue)).length;
  if (queue.ids.length === 0) {
    return (
      <div className="content">
        <JobProgress running={running} label="Choosing what to ask" />
        <EmptyState
          icon="labels"
          title={nothing ? `Every picture has a ${attribute}` : `Label ${attribute}, one picture at a time`}
          action={
            <Button look="primary" icon="play" needs="write" disabled={asking} onClick={() => void ask()}>
              {nothing ? "Look again" : "Start"}
            </Button>
          }
        >
          {nothing
            ? "Review the labels to find those that are likely wrong, or choose a new attribute."
            : classes.length < 2
              ? "Two classes are needed before the pictures that teach most can be chosen; until then they come as they are."
              : "You are asked for those pictures whose label would teach most. Keys 1 to 9 are the classes."}
        </EmptyState>
      </div>
    );
  }
  return (
    <div className="content">
      <JobProgress running={running} label="Choosing what to ask" />
      <section className="panel review-one" aria-label="Labelling">
        {id !== null ? (
          <img className="review-picture" src={originalUrl(name, id, 800)} alt={id} />
        ) : (
          <EmptyState icon="check" title="That was all for now">
            Ask again: what you said is learned from, and the next pictures are chosen by it.
          </EmptyState>
        )}
        <div className="stack labelling-side">
          <p className="muted numbers" aria-live="polite">
            {Math.min(queue.said.length + 1, queue.ids.length)} of {queue.ids.length}
            {id !== null && `: ${id}`}
          </p>
          {id !== null && suggested.has(id) && <p className="hint">Likeliest so far: {suggested.get(id)}</p>}
          <Classes classes={classes} disabled={id === null} typing={typing} onTyping={setTyping} onSay={acts.say} onAdd={addClass} />
          <div className="row">
            <Button small disabled={id === null} onClick={() => acts.say(null)}>
              Skip <kbd>S</kbd>
            </Button>
            <Button small disabled={queue.said.length === 0} onClick={acts.undo}>
              Undo <kbd>U</kbd>
            </Button>
          </div>
          <p className="hint" role="status">
            {saving ? "Saving…" : waiting > 0 ? `${waiting} not saved yet` : labelled > 0 ? `${labelled} saved` : "Labels are saved as you go."}
          </p>
          <div className="row">
            <Button look={id === null ? "primary" : "plain"} icon="refresh" disabled={asking || running.busy} onClick={() => void ask()}>
              Ask again
            </Button>
            <Button look="quiet" onClick={() => void finish()}>
              Finish
            </Button>
          </div>
        </div>
      </section>
    </div>
  );
}
