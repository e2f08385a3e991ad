import { useMemo } from "react";
import { setParams, useAddress } from "../../state/address";
import { useCollection } from "../../state/collection";
import { Segmented, Select } from "../../ui/fields";
import { ForbiddenNote } from "../../ui/forbidden";
import { Classifiers } from "./classifiers";
import { LabelOneByOne } from "./label-one-by-one";
import { ReviewLabels } from "./review-labels";
import { NewAttribute } from "./new-attribute";
import "./labels.css";

const VIEWS = [
  { value: "review", label: "Review" },
  { value: "label", label: "Label" },
  { value: "classifiers", label: "Classifiers" },
];
const NEW = " new";

export default function LabelsPage() {
  const { info } = useCollection();
  const { params } = useAddress();
  const view = params.get("view") ?? "review";
  const texts = useMemo(
    () => Object.entries(info.attributes).filter(([, type]) => type === "text").map(([name]) => name),
    [info.attributes],
  );
  const asked = params.get("attribute");
  const attribute = asked ?? texts.find((name) => /^(category|label|class|kind|type)$/i.test(name)) ?? texts[0] ?? "label";
  const names = texts.includes(attribute) ? texts : [...texts, attribute];
  return (
    <main id="main" className="page page-split">
      <div className="sidebar">
        <h1>Labels</h1>
        <Segmented label="Show" value={view} options={VIEWS} onChange={(next) => setParams({ view: next === "review" ? null : next })} />
        <Select
          label="Attribute that holds the labels"
          value={attribute}
          options={[...names.map((name) => ({ value: name, label: name })), { value: NEW, label: "a new one…" }]}
          onChange={(next) => setParams({ attribute: next })}
        />
        <ForbiddenNote needs="write" />
      </div>
      {asked === NEW ? (
        <NewAttribute onDone={(name) => setParams({ attribute: name, view: name === null ? null : "label" })} />
      ) : view === "label" ? (
        <LabelOneByOne key={attribute} attribute={attribute} />
      ) : view === "classifiers" ? (
        <Classifiers attribute={attribute} />
      ) : (
        <ReviewLabels key={attribute} attribute={attribute} />
      )}
    </main>
  );
}
