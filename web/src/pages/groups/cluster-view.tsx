import { type FormEvent, useState } from "react";
import { type Cluster, nameCluster, NOISE, readCluster } from "../../api/groups";
import { navigate, setParams } from "../../state/address";
import { useCollection } from "../../state/collection";
import { usePages } from "../../state/pages";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/fields";
import { Grid } from "../../ui/grid";
import { LabelDialog } from "../../ui/label-dialog";
import { EmptyState, ErrorState, GridSkeleton } from "../../ui/states";
import { Tile } from "../../ui/tile";
import { toast, toastError } from "../../ui/toasts";

/** One group with all its items, page by page. */
export function ClusterView({ cluster, onRenamed }: { cluster: Cluster; onRenamed: () => void }) {
  const { name, refresh } = useCollection();
  const items = usePages((after, signal) => readCluster(name, cluster.label, after, { signal }), [name, cluster.label]);
  const [naming, setNaming] = useState(false);
  const [labelling, setLabelling] = useState(false);
  return (
    <>
      <div className="toolbar">
        <IconButton icon="chevronLeft" label="All groups" onClick={() => setParams({ group: null })} />
        <h2>{cluster.name || `Group ${cluster.label}`}</h2>
        <span className="count">{cluster.size.toLocaleString("en")} pictures</span>
        <div className="toolbar-end row">
          {cluster.label !== NOISE && (
            <Button small icon="edit" needs="write" onClick={() => setNaming(true)}>
              Rename
            </Button>
          )}
          <Button small icon="labels" needs="write" disabled={items.all.length === 0} onClick={() => setLabelling(true)}>
            Label those shown
          </Button>
        </div>
      </div>
      {items.error ? (
        <ErrorState error={items.error} retry={items.reload} />
      ) : items.all.length === 0 && items.loading ? (
        <GridSkeleton />
      ) : items.all.length === 0 ? (
        <EmptyState title="The group is empty now" />
      ) : (
        <Grid label={`Pictures of ${cluster.name}`}>
          {items.all.map((item) => (
            <Tile key={item.id} src={item.thumbnail} name={item.id} onOpen={() => navigate("search", { collection: name, id: item.id })}>
              <span className="tile-name" title={item.id}>
                {item.id.split("/").pop()}
              </span>
            </Tile>
          ))}
        </Grid>
      )}
      {items.more && (
        <Button className="groups-next" disabled={items.loading} onClick={items.load}>
          Show more
        </Button>
      )}
      {naming && (
        <RenameDialog
          cluster={cluster}
          onClose={() => setNaming(false)}
          onDone={() => {
            setNaming(false);
            onRenamed();
          }}
        />
      )}
      {labelling && (
        <LabelDialog
          ids={items.all.map((item) => item.id)}
          onClose={() => setLabelling(false)}
          onDone={() => {
            setLabelling(false);
            refresh();
          }}
        />
      )}
    </>
  );
}

function RenameDialog({ cluster, onClose, onDone }: { cluster: Cluster; onClose: () => void; onDone: () => void }) {
  const { name } = useCollection();
  const [text, setText] = useState(cluster.name);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await nameCluster(name, cluster.label, text.trim());
      toast(`The group is called ${text.trim()} now`);
      onDone();
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <Dialog title="Rename the group" onClose={onClose}>
      <form className="stack" onSubmit={(event) => void save(event)}>
        <TextField label="Name" autoFocus required maxLength={200} value={text} onChange={setText} />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={text.trim() === ""}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
