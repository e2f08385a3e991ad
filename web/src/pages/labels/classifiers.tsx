import { useState } from "react";
import { type Classifier, classifiersPath, listClassifiers, readClassifier, removeClassifier, type TrainSettings } from "../../api/labels";
import { setParams, useParam } from "../../state/address";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { useLoad } from "../../state/load";
import { Button, IconButton } from "../../ui/button";
import { Select } from "../../ui/fields";
import { JobProgress } from "../../ui/job-progress";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { toast, toastError } from "../../ui/toasts";
import { ApplyDialog } from "./apply-dialog";
import { ClassifierReport } from "./classifier-report";
import { GroupBy } from "./group-by";

const METHODS = [
  { value: "auto", label: "the best of all" },
  { value: "linear", label: "linear" },
  { value: "neighbours", label: "nearest neighbours" },
  { value: "prototypes", label: "class means" },
];

/** What was trained, how good it is, and training anew. */
export function Classifiers({ attribute }: { attribute: string }) {
  const { name, info, refresh } = useCollection();
  const [asked] = useParam("classifier");
  const list = useLoad((signal) => listClassifiers(name, { signal }), [name]);
  const open = list.data?.find((each) => each.name === asked) ?? list.data?.[0] ?? null;
  const shown = useLoad(open ? (signal) => readClassifier(name, open.name, { signal }) : null, [name, open?.name, open?.version]);
  const running = useJob<Classifier>();
  const [groupBy, setGroupBy] = useState<string | null>(null);
  const [method, setMethod] = useState("auto");
  const [applying, setApplying] = useState(false);
  const train = async () => {
    const settings: TrainSettings = { label: attribute, name: null, method: method as TrainSettings["method"], group_by: groupBy };
    const trained = await running.start(classifiersPath(name), settings);
    if (trained === null) return;
    setParams({ classifier: trained.name });
    list.reload();
    refresh();
  };
  const remove = async (which: string) => {
    try {
      await removeClassifier(name, which);
      toast(`The classifier ${which} is gone; labels that it wrote stay`);
      setParams({ classifier: null });
      list.reload();
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <div className="content">
      <section className="panel labels-ask row" aria-label="Training">
        <Select label="Method" value={method} options={METHODS} onChange={setMethod} />
        <GroupBy value={groupBy} without={attribute} onChange={setGroupBy} />
        <Button look="primary" icon="play" needs="write" disabled={running.busy || !(attribute in info.attributes)} onClick={() => void train()}>
          Train on {attribute}
        </Button>
      </section>
      <JobProgress running={running} label="Training" />
      {list.error ? (
        <ErrorState error={list.error} retry={list.reload} />
      ) : list.data?.length === 0 ? (
        <EmptyState icon="labels" title="Nothing was trained yet">
          A classifier learns from the items that have a label and gives labels to the others. Choose the attribute that holds the labels, then train.
        </EmptyState>
      ) : !open ? (
        <Loading label="Reading the classifiers" />
      ) : (
        <>
          <ul className="classifier-list" aria-label="Classifiers">
            {list.data?.map((each) => (
              <li key={each.name}>
                <button type="button" className="classifier" aria-current={each.name === open.name} onClick={() => setParams({ classifier: each.name })}>
                  <strong>{each.name}</strong>
                  <span className="count">
                    {each.labels.length} classes, {each.examples.toLocaleString("en")} examples
                    {each.accuracy !== null && `, ${(each.accuracy * 100).toFixed(1)}% right`}
                  </span>
                </button>
              </li>
            ))}
          </ul>
          <div className="toolbar">
            <h2>{open.name}</h2>
            <div className="toolbar-end row">
              <Button icon="labels" needs="write" onClick={() => setApplying(true)}>
                Apply to items
              </Button>
              <IconButton icon="trash" needs="write" label={`Remove the classifier ${open.name}`} onClick={() => void remove(open.name)} />
            </div>
          </div>
          {shown.error ? (
            <ErrorState error={shown.error} retry={shown.reload} />
          ) : shown.data?.name === open.name ? (
            <ClassifierReport classifier={shown.data} />
          ) : (
            <Loading label="Reading the report" />
          )}
        </>
      )}
      {applying && open && <ApplyDialog classifier={open} attribute={attribute} onClose={() => setApplying(false)} />}
    </div>
  );
}
