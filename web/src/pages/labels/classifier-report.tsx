import type { Classifier, Report } from "../../api/labels";
import { EmptyState } from "../../ui/states";
import { ConfusionMatrix } from "./confusion-matrix";

const percent = (share: number | null) => (share === null ? "–" : `${(share * 100).toFixed(1)}%`);

/** How good a classifier is, on items that it had not seen. */
export function ClassifierReport({ classifier }: { classifier: Classifier }) {
  const { report } = classifier;
  if (!report) return <EmptyState title="No report">Too few examples to hold some of them out: nothing is known of how good it is.</EmptyState>;
  return (
    <div className="stack">
      <Figures report={report} />
      <div className="report-halves">
        <section className="panel" aria-label="Confusion matrix">
          <h3>What is taken for what</h3>
          <ConfusionMatrix labels={report.classes.map((each) => each.label)} confusions={report.confusions} />
        </section>
        <section className="panel report-table" aria-label="Classes" tabIndex={0}>
          <h3>By class</h3>
          <table>
            <thead>
              <tr>
                <th scope="col">Class</th>
                <th scope="col">Items</th>
                <th scope="col">Precision</th>
                <th scope="col">Recall</th>
                <th scope="col">F1</th>
              </tr>
            </thead>
            <tbody>
              {report.classes.map((each) => (
                <tr key={each.label}>
                  <th scope="row">{each.label}</th>
                  <td>{each.support.toLocaleString("en")}</td>
                  <td>{percent(each.precision)}</td>
                  <td>{percent(each.recall)}</td>
                  <td>{percent(each.f1)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </div>
    </div>
  );
}

function Figures({ report }: { report: Report }) {
  const figures = [
    { name: "Right", value: percent(report.accuracy), about: `of ${report.items.toLocaleString("en")} items it had not seen` },
    { name: "Mean recall", value: percent(report.macro_recall), about: "every class counts the same" },
    { name: "Mean F1", value: percent(report.macro_f1), about: "every class counts the same" },
    { name: "Calibration error", value: percent(report.ece), about: "mean gap between confidence and truth" },
  ];
  return (
    <dl className="figures">
      {figures.map((each) => (
        <div key={each.name} className="panel">
          <dt>{each.name}</dt>
          <dd>{each.value}</dd>
          <dd className="hint">{each.about}</dd>
        </div>
      ))}
    </dl>
  );
}
