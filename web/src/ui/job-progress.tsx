import "./job-progress.css";
import type { Running } from "../state/job";
import { Button } from "./button";
import { Progress } from "./progress";
import { sentence } from "../api/problem";

/** A job under way with a button that cancels it, or why it failed; nothing when there is neither. */
export function JobProgress<R>({ running, label }: { running: Running<R>; label: string }) {
  const { job, busy, error, cancel } = running;
  if (error) {
    return (
      <p className="notice notice-error" role="alert">
        {sentence(error)}
      </p>
    );
  }
  if (!busy) return null;
  const says = job?.state === "queued" ? `${label}: waiting for other work` : (job?.message ?? label);
  return (
    <div className="job-progress" role="status">
      <Progress label={says} done={job?.done ?? 0} total={job?.total ?? null} />
      <Button small icon="close" needs="write" onClick={cancel}>
        Cancel
      </Button>
    </div>
  );
}
