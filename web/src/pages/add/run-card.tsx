import { quoted } from "../../filtering/filters";
import { Link } from "../../shell/link";
import { Button, IconButton } from "../../ui/button";
import { Progress } from "../../ui/progress";
import css from "./add.module.css";
import { addPictures, cancelRun, dropRun, type Run } from "./runs";

const SHOWN = 200;
const STATES: Record<Run["state"], string> = { running: "running", done: "done", failed: "failed", cancelled: "cancelled" };

function Counts({ run }: { run: Run }) {
  const { added, updated, unchanged, failed } = run.ledger;
  const counts: [string, number, boolean][] = [
    ["added", added, false],
    ["updated", updated, false],
    ["unchanged", unchanged, false],
    ["failed", failed, failed > 0],
  ];
  return (
    <dl className={css["counts"]}>
      {counts.map(([name, count, bad]) => (
        <div key={name} className={bad ? css["bad"] : undefined}>
          <dt>{name}</dt>
          <dd>{count.toLocaleString("en")}</dd>
        </div>
      ))}
    </dl>
  );
}

function Failures({ run }: { run: Run }) {
  const { failures, failed } = run.ledger;
  if (failures.length === 0) return null;
  return (
    <details className={css["failures"]} open={failures.length <= 10}>
      <summary>
        {failed.toLocaleString("en")} {failed === 1 ? "file" : "files"} failed
      </summary>
      <div className={css["scroll"]} role="region" aria-label="Failures" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {failures.slice(0, SHOWN).map((failure) => (
              <tr key={`${failure.uri} ${failure.reason}`}>
                <td>{failure.uri}</td>
                <td>{failure.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {failed > SHOWN && <p className="hint">The first {SHOWN} of {failed.toLocaleString("en")}.</p>}
      </div>
    </details>
  );
}

/** One thing that is being added, or was: how far it is, and its ledger. */
export function RunCard({ run }: { run: Run }) {
  const { added, updated, unchanged } = run.ledger;
  const any = added + updated + unchanged > 0;
  return (
    <section className={`panel ${css["run"]}`} aria-label={run.title} data-state={run.state}>
      <div className="row spread">
        <h3 className={css["title"]}>{run.title}</h3>
        <div className="row">
          <span className={`${css["state"]} ${css[run.state] ?? ""}`}>{STATES[run.state]}</span>
          {run.state === "running" ? (
            <Button small onClick={() => cancelRun(run.id)}>
              Cancel
            </Button>
          ) : (
            <IconButton small icon="close" label={`Remove ${run.title} from this list`} onClick={() => dropRun(run.id)} />
          )}
        </div>
      </div>
      {run.state === "running" && <Progress label={run.step} done={run.done} total={run.total} />}
      {run.error && (
        <p className="hint hint-error" role="alert">
          {run.error}
        </p>
      )}
      {run.state === "cancelled" && <p className="hint">What was answered before is in the collection; the rest is not. Adding the same again goes on from there.</p>}
      <Counts run={run} />
      <Failures run={run} />
      {run.state !== "running" && (
        <div className="row">
          {any && (
            <Link className="button button-small" page="search" params={{ collection: run.collection, where: `id starts with ${quoted(`${run.prefix}/`)}` }}>
              Look at them
            </Link>
          )}
          {run.again.length > 0 && (
            <Button small icon="refresh" needs="write" onClick={() => (addPictures(run, run.again, run.table), dropRun(run.id))}>
              Try the failed ones again
            </Button>
          )}
        </div>
      )}
    </section>
  );
}
