import { useState } from "react";
import { originalUrl, thumbnailUrl } from "../../api/collections";
import { setAttributes } from "../../api/items";
import type { LabelError } from "../../api/labels";
import { useCollection } from "../../state/collection";
import { useForbidden } from "../../state/session";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/states";
import { toastError } from "../../ui/toasts";
import { useKeys } from "./keys";

type Decision = "accepted" | "kept";

/** Likely errors one by one: accept the suggestion or keep the label, by button or key. */
export function ErrorReview({ attribute, errors }: { attribute: string; errors: readonly LabelError[] }) {
  const { name } = useCollection();
  const [decisions, setDecisions] = useState<ReadonlyMap<string, Decision>>(new Map());
  const [at, setAt] = useState(0);
  const error = errors[at];
  const looking = useForbidden("write") !== null;

  const decide = async (which: LabelError, decision: Decision | null) => {
    const before = decisions.get(which.id);
    const changes = decision === "accepted" ? which.suggested : before === "accepted" ? which.label : null;
    setDecisions((now) => {
      const next = new Map(now);
      if (decision === null) next.delete(which.id);
      else next.set(which.id, decision);
      return next;
    });
    if (changes === null) return;
    try {
      await setAttributes(name, { [which.id]: { [attribute]: changes } });
    } catch (failed) {
      toastError(failed);
      setDecisions((now) => new Map([...now].filter(([id]) => id !== which.id)));
    }
  };
  const take = (decision: Decision) => {
    if (!error) return;
    void decide(error, decision);
    setAt(Math.min(at + 1, errors.length));
  };
  const back = () => {
    const before = errors[at - 1];
    if (!before) return;
    void decide(before, null);
    setAt(at - 1);
  };
  useKeys((key) => {
    if (looking && /^([aku]|Enter)$/.test(key)) return false;
    if (key === "a" || key === "Enter") take("accepted");
    else if (key === "k") take("kept");
    else if (key === "u") back();
    else if (key === "ArrowRight") setAt(Math.min(at + 1, errors.length - 1));
    else if (key === "ArrowLeft") setAt(Math.max(at - 1, 0));
    else return false;
    return true;
  });

  const decided = [...decisions.values()];
  return (
    <section className="panel review" aria-label="Likely errors">
      {error ? (
        <div className="review-one">
          <img className="review-picture" src={originalUrl(name, error.id, 800)} alt={error.id} />
          <div className="stack">
            <p className="muted numbers" aria-live="polite">
              {at + 1} of {errors.length}: {error.id}
            </p>
            <dl className="review-labels">
              <dt>Labelled</dt>
              <dd>
                {error.label} <span className="count">{percent(error.self_confidence)} likely</span>
              </dd>
              <dt>More likely</dt>
              <dd className="review-suggested">{error.suggested}</dd>
            </dl>
            <div className="row">
              <Button look="primary" icon="check" needs="write" onClick={() => take("accepted")}>
                Accept {error.suggested} <kbd>A</kbd>
              </Button>
              <Button needs="write" onClick={() => take("kept")}>
                Keep {error.label} <kbd>K</kbd>
              </Button>
              <Button look="quiet" needs="write" disabled={at === 0} onClick={back}>
                Undo <kbd>U</kbd>
              </Button>
            </div>
            {decisions.has(error.id) && <p className="hint">You {decisions.get(error.id)} this one.</p>}
          </div>
        </div>
      ) : (
        <EmptyState
          icon="check"
          title="All were looked at"
          action={
            <Button look="quiet" onClick={back}>
              Undo the last <kbd>U</kbd>
            </Button>
          }
        >
          {decided.filter((each) => each === "accepted").length} suggestions accepted, {decided.filter((each) => each === "kept").length} labels kept. Review again to see
          what the corrected labels teach.
        </EmptyState>
      )}
      <ul className="review-strip" aria-label="All likely errors">
        {errors.map((each, index) => (
          <li key={each.id}>
            <button
              type="button"
              className={`strip-entry strip-${decisions.get(each.id) ?? "open"}`}
              aria-current={index === at}
              aria-label={`${each.id}, labelled ${each.label}${decisions.has(each.id) ? `, ${decisions.get(each.id)}` : ""}`}
              onClick={() => setAt(index)}
            >
              <img src={thumbnailUrl(name, each.id)} alt="" loading="lazy" decoding="async" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

const percent = (share: number) => `${Math.round(share * 100)}%`;
