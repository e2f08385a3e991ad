import { listAudit } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { useLoad } from "../../state/load";
import { useForbidden, useSession } from "../../state/session";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { clock } from "./lanes";

/** Every search for somebody, the newest first. Nothing takes one away. */
export function AuditLog() {
  const { name, info } = useCollection();
  const reason = useForbidden("admin");
  const known = useSession() !== null;
  const log = useLoad(reason === null ? (signal) => listAudit(name, { signal }) : null, [name, info.version, reason]);
  return (
    <>
      <h2>Every search for a person or thing</h2>
      {reason !== null && known ? (
        <EmptyState icon="key" title="The log is for those with the scope admin">
          Somebody who does not search should read it. {reason}
        </EmptyState>
      ) : log.error ? (
        <ErrorState error={log.error} retry={log.reload} />
      ) : !log.data ? (
        <Loading label="Reading the log" />
      ) : log.data.length === 0 ? (
        <EmptyState icon="check" title="Nobody was searched for yet" />
      ) : (
        <div className="panel report-table audit-log" tabIndex={0} role="group" aria-label="Searches">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Why</th>
                <th scope="col">Answers</th>
              </tr>
            </thead>
            <tbody>
              {log.data.toReversed().map((entry) => (
                <tr key={`${entry.time} ${entry.query}`}>
                  <th scope="row">{clock(entry.time)}</th>
                  <td>{entry.who}</td>
                  <td title={`SHA-256 ${entry.query}`}>{entry.kind}</td>
                  <td>{entry.reason || "–"}</td>
                  <td>{entry.answers.toLocaleString("en")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
