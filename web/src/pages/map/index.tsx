import { useMemo } from "react";
import { mapJobPath, readMap } from "../../api/map";
import { readClusters } from "../../api/groups";
import { Problem } from "../../api/problem";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { useLoad } from "../../state/load";
import { Button } from "../../ui/button";
import { ForbiddenNote } from "../../ui/forbidden";
import { JobProgress } from "../../ui/job-progress";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { MapView } from "./map-view";
import { readPoints } from "./points";
import "./map.css";

export default function MapPage() {
  const { name, info, refresh } = useCollection();
  const attributes = Object.keys(info.attributes);
  const running = useJob<unknown>();
  const map = useLoad(async (signal) => readPoints(await readMap(name, attributes, { signal })), [name, info.version]);
  const clustered = info.fitted.some((each) => each.kind === "clusters");
  const clusters = useLoad(clustered ? (signal) => readClusters(name, { signal }) : null, [name, info.version]);
  const names = useMemo(
    () => new Map(clusters.data?.clusters.map((each) => [String(each.label), each.name || `cluster ${each.label}`])),
    [clusters.data],
  );
  const layOut = async (anew: boolean) => {
    if ((await running.start(mapJobPath(name), anew ? { anew: true } : {})) !== null) {
      refresh();
      map.reload();
    }
  };

  if (map.error instanceof Problem && map.error.type === "not-fitted") {
    return (
      <main id="main" className="page page-plain">
        <EmptyState
          icon="map"
          title="There is no map yet"
          action={
            running.busy ? undefined : (
              <Button look="primary" icon="map" needs="write" disabled={info.items === 0} onClick={() => void layOut(false)}>
                Make the map
              </Button>
            )
          }
        >
          {info.items === 0
            ? "The collection holds no pictures: add some first."
            : `A map lays ${info.items.toLocaleString("en")} pictures out in a plane, alike beside alike. Ten thousand take about a minute.`}
        </EmptyState>
        <ForbiddenNote needs="write" />
        <JobProgress running={running} label="Laying the pictures out" />
      </main>
    );
  }
  if (!map.data) {
    return (
      <main id="main" className="page page-plain">
        {map.error ? <ErrorState error={map.error} retry={map.reload} /> : <Loading label="Reading the map" />}
      </main>
    );
  }
  const missing = info.items - map.data.ids.length;
  return (
    <main id="main" className="map-page">
      {missing !== 0 && !running.busy && (
        <div className="map-stale">
          <span>
            {missing > 0 ? `${missing.toLocaleString("en")} pictures are not on the map yet.` : "Some pictures on the map are gone."}
          </span>
          <Button small icon="refresh" needs="write" onClick={() => void layOut(false)}>
            Bring it up to date
          </Button>
        </div>
      )}
      <JobProgress running={running} label="Laying the pictures out" />
      <MapView
        key={name}
        points={map.data}
        names={names}
        onChanged={() => (refresh(), map.reload())}
        onLayOut={running.busy ? null : () => void layOut(true)}
      />
    </main>
  );
}
