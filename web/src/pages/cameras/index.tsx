import { listCameras } from "../../api/cameras";
import { setParams, useAddress } from "../../state/address";
import { useCollection } from "../../state/collection";
import { useLoad } from "../../state/load";
import { Segmented } from "../../ui/fields";
import { ForbiddenNote } from "../../ui/forbidden";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { AuditLog } from "./audit-log";
import { Filters, readFilter } from "./filters";
import { Follow } from "./follow";
import { Gallery } from "./gallery";
import { IdentitiesView } from "./identities-view";
import { Notice } from "./notice";
import { Ways } from "./ways";
import "./cameras.css";

const VIEWS = [
  { value: "identities", label: "Identities" },
  { value: "follow", label: "Follow" },
  { value: "gallery", label: "Gallery" },
  { value: "ways", label: "Ways" },
  { value: "log", label: "Log" },
];

export default function CamerasPage() {
  const { name, info } = useCollection();
  const { params } = useAddress();
  const cameras = useLoad((signal) => listCameras(name, { signal }), [name, info.version]);
  const view = params.get("view") ?? "identities";
  if (!cameras.data) {
    return (
      <main id="main" className="page page-plain">
        {cameras.error ? <ErrorState error={cameras.error} retry={cameras.reload} /> : <Loading label="Reading the cameras" />}
      </main>
    );
  }
  if (cameras.data.length === 0) {
    return (
      <main id="main" className="page page-plain">
        <h1 className="visually-hidden">Cameras</h1>
        <EmptyState icon="cameras" title="No camera was tracked in this collection">
          Recordings are tracked on the machine that has them. Describe the cameras in a file, then run <code>lookalike track cameras.json --to {name}.lookalike</code>
        </EmptyState>
        <Notice />
      </main>
    );
  }
  const names = cameras.data.map((each) => each.name);
  const filter = readFilter(params);
  return (
    <main id="main" className={view === "follow" || view === "gallery" ? "page page-split" : "page page-split cameras-looking"}>
      <div className="sidebar">
        <h1>Cameras</h1>
        <Segmented label="Show" value={view} options={VIEWS} onChange={(next) => setParams({ view: next === "identities" ? null : next })} />
        {(view === "identities" || view === "follow") && <Filters cameras={names} filter={filter} named={view === "identities"} />}
        <ForbiddenNote needs="write" />
        <Notice />
      </div>
      <div className="content">
        {view === "follow" ? (
          <Follow cameras={names} filter={filter} />
        ) : view === "ways" ? (
          <Ways cameras={cameras.data} />
        ) : view === "gallery" ? (
          <Gallery />
        ) : view === "log" ? (
          <AuditLog />
        ) : (
          <IdentitiesView cameras={names} filter={filter} />
        )}
      </div>
    </main>
  );
}
