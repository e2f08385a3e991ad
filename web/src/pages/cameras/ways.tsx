import { type Camera, listTransitions } from "../../api/cameras";
import { useCollection } from "../../state/collection";
import { useLoad } from "../../state/load";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { clock } from "./lanes";
import { duration } from "./timeline";
import { WaysPicture } from "./ways-picture";

/** How things go from camera to camera, and what the cameras are. */
export function Ways({ cameras }: { cameras: readonly Camera[] }) {
  const { name, info } = useCollection();
  const ways = useLoad((signal) => listTransitions(name, { signal }), [name, info.version]);
  return (
    <>
      <h2>From camera to camera</h2>
      {ways.error ? (
        <ErrorState error={ways.error} retry={ways.reload} />
      ) : !ways.data ? (
        <Loading label="Reading the ways" />
      ) : ways.data.length === 0 ? (
        <EmptyState icon="cameras" title="Nobody was seen twice" />
      ) : (
        <div className="report-halves">
          <div className="panel">
            <WaysPicture cameras={cameras.map((each) => each.name)} ways={ways.data} />
          </div>
          <div className="panel report-table" tabIndex={0} role="group" aria-label="Ways">
            <table>
              <thead>
                <tr>
                  <th scope="col">Way</th>
                  <th scope="col">Times</th>
                  <th scope="col">Shortest</th>
                  <th scope="col">Typical</th>
                  <th scope="col">Longest</th>
                </tr>
              </thead>
              <tbody>
                {ways.data.map((way) => (
                  <tr key={`${way.origin}\n${way.target}`}>
                    <th scope="row">{way.origin === way.target ? `back to ${way.origin}` : `${way.origin} to ${way.target}`}</th>
                    <td>{way.times.toLocaleString("en")}</td>
                    <td>{duration(way.shortest)}</td>
                    <td>{duration(way.typical)}</td>
                    <td>{duration(way.longest)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
      <h2>Cameras</h2>
      <div className="panel report-table" tabIndex={0} role="group" aria-label="Cameras">
        <table>
          <thead>
            <tr>
              <th scope="col">Camera</th>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Frames</th>
              <th scope="col">Tracklets</th>
              <th scope="col">Kept for</th>
            </tr>
          </thead>
          <tbody>
            {cameras.map((each) => (
              <tr key={each.name}>
                <th scope="row">{each.name}</th>
                <td>{clock(each.start)}</td>
                <td>{each.last === null ? "–" : clock(each.last)}</td>
                <td>{each.frames.toLocaleString("en")}</td>
                <td>{each.tracklets.toLocaleString("en")}</td>
                <td>{each.retain === null ? "no limit" : duration(each.retain)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
