import { useState } from "react";
import { readReview, type Review, reviewPath } from "../../api/labels";
import { Problem } from "../../api/problem";
import { navigate } from "../../state/address";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { useLoad } from "../../state/load";
import { Button } from "../../ui/button";
import { Grid } from "../../ui/grid";
import { JobProgress } from "../../ui/job-progress";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { Tile } from "../../ui/tile";
import { thumbnailUrl } from "../../api/collections";
import { ErrorReview } from "./error-review";
import { GroupBy } from "./group-by";

/** Labels that are likely wrong, and items like nothing else. */
export function ReviewLabels({ attribute }: { attribute: string }) {
  const { name, info } = useCollection();
  const running = useJob<Review>();
  const [groupBy, setGroupBy] = useState<string | null>(null);
  const last = useLoad((signal) => readReview(name, { signal }), [name]);
  const absent = last.error instanceof Problem && last.error.type === "not-fitted";
  const review = !absent && last.data && sourceOf(last.data) === attribute ? last.data : null;
  const start = async () => {
    const asked = { label: attribute, group_by: groupBy, count: 200 };
    if ((await running.start(reviewPath(name), asked)) !== null) last.reload();
  };
  const again = (
    <div className="row labels-ask">
      <GroupBy value={groupBy} without={attribute} onChange={setGroupBy} />
      <Button look={review ? "plain" : "primary"} icon="refresh" needs="write" disabled={running.busy} onClick={() => void start()}>
        {review ? "Review again" : `Review ${attribute}`}
      </Button>
    </div>
  );
  return (
    <div className="content">
      <JobProgress running={running} label="Reviewing the labels" />
      {review ? (
        <>
          <div className="toolbar">
            <h2>{review.errors_found.toLocaleString("en")} labels are likely wrong</h2>
            <div className="toolbar-end">{again}</div>
          </div>
          {review.errors.length > 0 ? (
            <ErrorReview key={JSON.stringify(review.provenance)} attribute={attribute} errors={review.errors} />
          ) : (
            <EmptyState icon="check" title="No label looks wrong">
              Of {review.errors_found === 0 ? "all labelled items" : "the items"}, none confidently belongs to another class.
            </EmptyState>
          )}
          {review.outliers.length > 0 && (
            <section className="stack" aria-label="Unlike anything else">
              <h2>Unlike anything else</h2>
              <p className="muted">These resemble neither their own class nor another one: damaged pictures, a thing of its own, or the first of a new class.</p>
              <Grid label="Unlike anything else">
                {review.outliers.map((each) => (
                  <Tile key={each.id} src={thumbnailUrl(name, each.id)} name={each.id} onOpen={() => navigate("search", { collection: name, id: each.id })}>
                    <span className="tile-name">{each.label}</span>
                    <span className="tile-note" title={each.id}>
                      {each.id.split("/").pop()}
                    </span>
                  </Tile>
                ))}
              </Grid>
            </section>
          )}
        </>
      ) : last.loading && !last.data && !last.error ? (
        <Loading label="Reading the last review" />
      ) : last.error && !absent ? (
        <ErrorState error={last.error} retry={last.reload} />
      ) : (
        <EmptyState icon="labels" title={`Labels of ${attribute} were not reviewed yet`} action={running.busy ? undefined : again}>
          {attribute in info.attributes
            ? "A review learns from all labels but those it judges, and lists the ones that are likely wrong. Nothing is changed before you say so."
            : "No item has this attribute yet: label some first."}
        </EmptyState>
      )}
    </div>
  );
}

/** The attribute whose labels were reviewed. */
function sourceOf(review: Review): string | null {
  const source = review.provenance["source"];
  return typeof source === "object" && source !== null && "attribute" in source ? String(source.attribute) : null;
}
