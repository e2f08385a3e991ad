import { type FormEvent, useEffect, useId, useState } from "react";
import { Problem, sentence } from "../api/problem";
import { setParams } from "../state/address";
import { Button } from "../ui/button";
import css from "./filtering.module.css";

/** The filter language itself, for those who know it, with the place of an error. */
export function ExpertFilter({ expert, error, offset }: { expert: string | null; error: unknown; offset: number }) {
  const id = useId();
  const [text, setText] = useState(expert ?? "");
  useEffect(() => setText(expert ?? ""), [expert]);
  const wrong = error instanceof Problem && error.type === "filter" ? error : null;
  const at = wrong?.position === null || wrong?.position === undefined ? null : Math.max(0, wrong.position - offset);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setParams({ where: text.trim(), k: null });
  };
  return (
    <details className={css["facet"]} open={expert !== null}>
      <summary>
        <span>Filter expression</span>
      </summary>
      <form className={`${css["facetBody"]} ${css["spaced"]}`} onSubmit={submit}>
        <div className="field">
          <label htmlFor={id} className="visually-hidden">
            Filter expression
          </label>
          <textarea
            id={id}
            rows={3}
            spellCheck={false}
            value={text}
            placeholder={'price < 300 and category in ("Kitchen", "Office")'}
            aria-invalid={wrong ? true : undefined}
            aria-describedby={wrong ? `${id}-error` : undefined}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.shiftKey) submit(event);
            }}
          />
        </div>
        {wrong && (
          <div id={`${id}-error`} className={css["wrong"]} role="alert">
            <p className="hint hint-error">{sentence(wrong)}</p>
            {at !== null && expert && (
              <pre className={css["pointer"]}>
                {expert.slice(0, at)}
                <mark>{expert.slice(at, at + 1) || " "}</mark>
                {expert.slice(at + 1)}
              </pre>
            )}
          </div>
        )}
        <div className="row">
          <Button small type="submit" look="primary">
            Apply
          </Button>
          {expert !== null && (
            <Button small onClick={() => setParams({ where: null, k: null })}>
              Clear
            </Button>
          )}
        </div>
      </form>
    </details>
  );
}
