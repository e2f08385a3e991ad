import type { Hit } from "../../api/types";
import { changed, navigate, setParams, useAddress } from "../../state/address";
import { type LikesHandle, useLikes } from "../../state/likes";
import { IconButton } from "../../ui/button";
import { Grid } from "../../ui/grid";
import { Strength } from "../../ui/strength";
import { Tile } from "../../ui/tile";
import { toast } from "../../ui/toasts";
import { nameOf, noteOf } from "../../state/names";
import { FRESH } from "../../state/photo-search";
import { canExplain, isSearch, type Query } from "./query";

const EAGER = 12;

export function similarTo(id: string, params: URLSearchParams): void {
  navigate("search", changed(params, { ...FRESH, id }));
  window.scrollTo({ top: 0 });
}

export function notLike(id: string, query: Query): void {
  setParams({ minus: [...new Set([...query.minusIds, id])], k: null });
  toast("Looking for less of that", { action: { label: "Undo", run: () => setParams({ minus: query.minusIds }) } });
}

export function toggleLike(id: string, likes: LikesHandle): void {
  if (likes.likes.includes(id)) likes.forget(id);
  else {
    likes.like(id);
    toast("Liked. The page Recommend goes on from there.");
  }
}

/** The pictures found, each with what can be done with it. */
export function Results({ collection, hits, query }: { collection: string; hits: Hit[]; query: Query }) {
  const likes = useLikes(collection);
  const { params } = useAddress();
  const searching = isSearch(query);
  const explainable = canExplain(query);
  const onTileKey = (key: string, at: number) => {
    const hit = hits[at];
    if (!hit) return;
    if (key === "s") similarTo(hit.id, params);
    if (key === "l") toggleLike(hit.id, likes);
    if (key === "n" && searching) notLike(hit.id, query);
    if (key === "w" && explainable) setParams({ why: hit.id });
  };
  return (
    <Grid label={searching ? "Results" : "Items"} onTileKey={onTileKey}>
      {hits.map((hit, at) => {
        const name = nameOf(hit.id, hit.attributes);
        const liked = likes.likes.includes(hit.id);
        return (
          <Tile
            key={hit.id}
            src={hit.thumbnail}
            name={name}
            eager={at < EAGER}
            onOpen={() => setParams({ open: hit.id })}
            actions={
              <>
                <IconButton small icon="search" label={`Similar to ${name}`} onClick={() => similarTo(hit.id, params)} />
                {searching && <IconButton small icon="ban" label={`Not like ${name}`} onClick={() => notLike(hit.id, query)} />}
                {explainable && <IconButton small className="tile-extra" icon="heat" label={`Why ${name} is similar`} onClick={() => setParams({ why: hit.id })} />}
                <IconButton small icon="heart" label={`Like ${name}`} pressed={liked} onClick={() => toggleLike(hit.id, likes)} />
              </>
            }
          >
            {hit.strength !== null && searching && <Strength value={hit.strength} />}
            <span className="tile-name">{name}</span>
            <span className="tile-note">{noteOf(hit.attributes, query.groupBy)}</span>
          </Tile>
        );
      })}
    </Grid>
  );
}
