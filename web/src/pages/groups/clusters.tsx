import { type ReactNode, useState } from "react";
import { thumbnailUrl } from "../../api/collections";
import { type Cluster, type Clusters as Found, clustersPath, NOISE, readClusters, updateClusters } from "../../api/groups";
import { Problem } from "../../api/problem";
import { setParams, useParam } from "../../state/address";
import { useCollection } from "../../state/collection";
import { useJob } from "../../state/job";
import { useLoad } from "../../state/load";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/fields";
import { JobProgress } from "../../ui/job-progress";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { toast, toastError } from "../../ui/toasts";
import { ClusterForm } from "./cluster-form";
import { ClusterView } from "./cluster-view";

const PAGE = 60;

export function Clusters({ switcher }: { switcher: ReactNode }) {
  const { name, info, refresh } = useCollection();
  const [open] = useParam("group");
  const running = useJob<Found>();
  const clusters = useLoad((signal) => readClusters(name, { signal }), [name, info.version]);
  const absent = clusters.error instanceof Problem && clusters.error.type === "not-fitted";
  const found = absent ? null : clusters.data;
  const start = async (settings: object) => {
    if ((await running.start(clustersPath(name), settings)) === null) return;
    setParams({ group: null });
    refresh();
    clusters.reload();
  };
  const opened = open === null || !found ? null : (found.clusters.find((each) => String(each.label) === open) ?? noiseOf(found, open));
  return (
    <>
      <div className="sidebar">
        {switcher}
        <ClusterForm busy={running.busy} known={found !== null} onStart={(settings) => void start(settings)} />
        {found && <Facts found={found} />}
        {found && found.unsaved > 0 && <Unsaved count={found.unsaved} onSaved={() => (refresh(), clusters.reload())} />}
      </div>
      <div className="content">
        <JobProgress running={running} label="Finding groups" />
        {opened ? (
          <ClusterView key={opened.label} cluster={opened} onRenamed={clusters.reload} />
        ) : found ? (
          <ClusterList found={found} />
        ) : absent ? (
          <EmptyState icon="groups" title="Nothing is grouped yet">
            Grouping finds what looks alike among {info.items.toLocaleString("en")} pictures and gives each group a name. Choose the size of groups, then press
            “Find groups”.
          </EmptyState>
        ) : clusters.error ? (
          <ErrorState error={clusters.error} retry={clusters.reload} />
        ) : (
          <Loading label="Reading the groups" />
        )}
      </div>
    </>
  );
}

function noiseOf(found: Found, open: string): Cluster | null {
  if (open !== String(NOISE) || found.noise === 0) return null;
  return { label: NOISE, name: "In no group", size: found.noise, medoid: null, representatives: [], cohesion: 0 };
}

function Facts({ found }: { found: Found }) {
  return (
    <dl className="groups-facts">
      <dt>Groups</dt>
      <dd>{found.clusters.length.toLocaleString("en")}</dd>
      <dt>In no group</dt>
      <dd>
        {found.noise > 0 ? (
          <Button small look="quiet" onClick={() => setParams({ group: NOISE })}>
            {found.noise.toLocaleString("en")}, show
          </Button>
        ) : (
          "none"
        )}
      </dd>
      {found.stability !== null && (
        <>
          <dt title="Agreement of clusterings of 80 % of the items; 1: always the same">Stability</dt>
          <dd>{found.stability.toFixed(2)}</dd>
        </>
      )}
      <dt title="How much nearer items are to their own group than to the next; -1 to 1">Silhouette</dt>
      <dd>{found.silhouette.toFixed(2)}</dd>
      <dt>Method</dt>
      <dd title={found.reason}>{found.method}</dd>
    </dl>
  );
}

/** Looking changes nothing: where newer pictures belong is found for the view, and saved when somebody says so. */
function Unsaved({ count, onSaved }: { count: number; onSaved: () => void }) {
  const { name } = useCollection();
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    try {
      await updateClusters(name);
      toast("The newer pictures are saved in their groups");
      onSaved();
    } catch (error) {
      toastError(error);
    }
    setSaving(false);
  };
  return (
    <div className="stack">
      <p className="hint">
        {count === 1 ? "1 newer picture is" : `${count.toLocaleString("en")} newer pictures are`} shown where {count === 1 ? "it belongs" : "they belong"}. Saved,
        the map and filters know it too.
      </p>
      <Button small icon="check" needs="write" disabled={saving} onClick={() => void save()}>
        Save them in their groups
      </Button>
    </div>
  );
}

function ClusterList({ found }: { found: Found }) {
  const { name } = useCollection();
  const [wanted, setWanted] = useState("");
  const [pages, setPages] = useState(1);
  const matching = found.clusters.filter((each) => each.name.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <>
      <div className="toolbar">
        <h2>{matching.length.toLocaleString("en")} groups</h2>
        <div className="toolbar-end groups-find">
          <TextField label="Find a group" hideLabel type="search" placeholder="Find a group by name" value={wanted} onChange={setWanted} />
        </div>
      </div>
      {matching.length === 0 && <EmptyState icon="search" title="No group is called that" />}
      <ul className="groups-grid" aria-label="Groups">
        {matching.slice(0, pages * PAGE).map((each) => (
          <li key={each.label}>
            <button type="button" className="group-card" onClick={() => setParams({ group: each.label })}>
              <span className="group-pictures">
                {each.representatives.slice(0, 4).map((id) => (
                  <img key={id} src={thumbnailUrl(name, id)} alt="" loading="lazy" decoding="async" />
                ))}
              </span>
              <span className="group-name">{each.name || `Group ${each.label}`}</span>
              <span className="count">{each.size.toLocaleString("en")} pictures</span>
            </button>
          </li>
        ))}
      </ul>
      {matching.length > pages * PAGE && (
        <Button className="groups-next" onClick={() => setPages(pages + 1)}>
          Show more
        </Button>
      )}
    </>
  );
}
