import { type KeyboardEvent, useState } from "react";
import { readItem } from "../../api/collections";
import type { Hit } from "../../api/types";
import { setParams } from "../../state/address";
import { useLikes } from "../../state/likes";
import { useLoad } from "../../state/load";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { ErrorState, Loading } from "../../ui/states";
import { Strength } from "../../ui/strength";
import { nameOf, written } from "../../state/names";
import { canExplain, isSearch, type Query } from "./query";
import { notLike, toggleLike } from "./results";
import css from "./search.module.css";

function Picture({ src, fallback, name }: { src: string; fallback: string; name: string }) {
  const [broken, setBroken] = useState(false);
  return (
    <div className={css["picture"]}>
      <img src={broken ? fallback : src} alt={name} onError={() => setBroken(true)} />
    </div>
  );
}

interface ItemDialogProps {
  collection: string;
  id: string;
  /** What is shown beside it, in order. */
  hits: Hit[];
  query: Query;
  onSimilar: (id: string) => void;
  onClose: () => void;
}

/** One item: the picture as it is, its attributes, and what can be done with it. Arrow keys go to the next ones. */
export function ItemDialog({ collection, id, hits, query, onSimilar, onClose }: ItemDialogProps) {
  const likes = useLikes(collection);
  const at = hits.findIndex((hit) => hit.id === id);
  const hit = hits[at];
  const read = useLoad((signal) => readItem(collection, id, signal), [collection, id]);
  const item = read.data?.id === id ? read.data : hit;
  const name = item ? nameOf(id, item.attributes) : id;
  const go = (by: number) => {
    const next = hits[at + by];
    if (at >= 0 && next) setParams({ open: next.id }, { replace: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") go(1);
    if (event.key === "ArrowLeft") go(-1);
  };
  const liked = likes.likes.includes(id);
  return (
    <Dialog title={name} wide onClose={onClose}>
      <div className={css["details"]} onKeyDown={onKeyDown}>
        {item ? <Picture key={id} src={`${item.original}${item.original.includes("?") ? "&" : "?"}size=1280`} fallback={item.thumbnail} name={name} /> : read.error ? <ErrorState error={read.error} retry={read.reload} /> : <Loading />}
        <div className={css["facts"]}>
          {hit && hit.strength !== null && isSearch(query) && <Strength value={hit.strength} />}
          <div className="row">
            <Button look="primary" icon="search" data-focus onClick={() => onSimilar(id)}>
              Similar to this
            </Button>
            <Button icon="heart" aria-pressed={liked} onClick={() => toggleLike(id, likes)}>
              {liked ? "Liked" : "Like"}
            </Button>
            {isSearch(query) && (
              <Button icon="ban" onClick={() => (onClose(), notLike(id, query))}>
                Not like this
              </Button>
            )}
            {canExplain(query) && (
              <Button icon="heat" onClick={() => setParams({ open: null, why: id })}>
                Why similar
              </Button>
            )}
          </div>
          <dl className={css["attributes"]}>
            <dt>id</dt>
            <dd>{id}</dd>
            {item && "width" in item && item.width && item.height ? (
              <>
                <dt>size</dt>
                <dd>
                  {item.width} × {item.height} pixels
                </dd>
              </>
            ) : null}
            {Object.entries(item?.attributes ?? {}).map(([attribute, value]) => (
              <div key={attribute} style={{ display: "contents" }}>
                <dt>{attribute}</dt>
                <dd>{written(value)}</dd>
              </div>
            ))}
          </dl>
          <div className="row spread">
            {item && (
              <a className="button button-small" href={item.original} target="_blank" rel="noreferrer">
                Open the original
              </a>
            )}
            {at >= 0 && (
              <span className="row">
                <IconButton small icon="chevronLeft" label="Previous" disabled={at === 0} onClick={() => go(-1)} />
                <span className="muted numbers">
                  {at + 1} of {hits.length}
                </span>
                <IconButton small icon="chevronRight" label="Next" disabled={at === hits.length - 1} onClick={() => go(1)} />
              </span>
            )}
          </div>
        </div>
      </div>
    </Dialog>
  );
}
