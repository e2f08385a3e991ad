import { useEffect, useMemo, useRef, useState } from "react";
import { eventsOf, recordEvent } from "../../api/recommend";
import { whereOf } from "../../filtering/filters";
import { FilterPanel } from "../../filtering/panel";
import { SetFilters } from "../../filtering/set-filters";
import { useFacets } from "../../filtering/use-facets";
import { navigate, setParams, useAddress } from "../../state/address";
import { useCollection } from "../../state/collection";
import { useLikes } from "../../state/likes";
import { useLoad } from "../../state/load";
import { useForbidden } from "../../state/session";
import { nameOf, noteOf } from "../../state/names";
import { Select, Slider } from "../../ui/fields";
import { Grid } from "../../ui/grid";
import { EmptyState, ErrorState, GridSkeleton } from "../../ui/states";
import { toastError } from "../../ui/toasts";
import { ItemDialog } from "../search/item-dialog";
import { readQuery } from "../search/query";
import { Card } from "./card";
import css from "./recommend.module.css";
import { Taste } from "./sidebar";
import { likesOf, reasonOf } from "./taste";
import { type Card as CardData, useStream } from "./use-stream";

const CARDS = 18;
const NO_QUERY = readQuery(new URLSearchParams(), {});

/** Names of everything that was on the page: reasons and likes speak of items that are no longer on it. */
function useNames(cards: readonly CardData[]): (id: string) => string {
  const names = useRef(new Map<string, string>());
  for (const card of cards) names.current.set(card.id, nameOf(card.id, card.attributes));
  return (id) => names.current.get(id) ?? nameOf(id, {});
}

/** After a card went, the one that took its place gets the focus. */
function useKeptFocus(cards: readonly CardData[]): (at: number) => void {
  const wanted = useRef<number | null>(null);
  useEffect(() => {
    if (wanted.current === null) return;
    const tiles = document.querySelectorAll<HTMLElement>("#stream [data-tile-open]");
    tiles[Math.min(wanted.current, tiles.length - 1)]?.focus();
    wanted.current = null;
  }, [cards]);
  return (at) => {
    wanted.current = at;
  };
}

export default function RecommendPage() {
  const { name: collection, info } = useCollection();
  const { params } = useAddress();
  const asked = useMemo(() => readQuery(params, info.attributes), [params, info.attributes]);
  const user = params.get("user");
  const [turn, setTurn] = useState(0);
  const looking = useForbidden("write") !== null;
  const likes = useLikes(collection);
  const events = useLoad(user === null ? null : (signal) => eventsOf(collection, user, signal), [collection, user, turn]);
  const taste = user === null ? { likes: likes.likes, dislikes: likes.dislikes } : likesOf(events.data ?? []);
  const where = whereOf(asked.expert, asked.selections, info.attributes);
  const stream = useStream({
    collection,
    version: info.version,
    user,
    taste: user === null ? taste : { likes: [], dislikes: [] },
    where: where.expression,
    groupBy: asked.groupBy,
    diversity: asked.diversity,
    k: CARDS,
    turn,
  });
  const facets = useFacets(collection, info.version, info.attributes, asked.expert, asked.selections);
  const cards = useMemo(() => stream.data?.cards ?? [], [stream.data]);
  const known = useNames(cards);
  const keepFocus = useKeptFocus(cards);
  useEffect(() => {
    document.title = "Recommend · lookalike";
  }, []);

  const judge = async (card: CardData, at: number, verdict: "like" | "dislike") => {
    if (document.activeElement?.closest("#stream")) keepFocus(at);
    if (user === null) return likes[verdict](card.id);
    if (looking) return;
    try {
      await recordEvent(collection, user, card.id, verdict);
      setTurn((now) => now + 1);
    } catch (error) {
      toastError(error);
    }
  };
  const onTileKey = (key: string, at: number) => {
    const card = cards[at];
    if (!card) return;
    if (key === "l") void judge(card, at, "like");
    if (key === "d") void judge(card, at, "dislike");
    if (key === "s") navigate("search", { collection, id: card.id });
  };
  const groupable = Object.keys(info.attributes).filter((name) => info.attributes[name] !== "list");

  return (
    <main id="main" className="page page-split">
      <aside className="sidebar" aria-label="Taste and filters">
        <Taste
          collection={collection}
          user={user}
          taste={taste}
          nameOf={known}
          onForget={likes.forget}
          onReset={likes.clear}
          onUserForgotten={() => setTurn((now) => now + 1)}
        />
        <FilterPanel selections={asked.selections} expert={asked.expert} types={info.attributes} facets={facets} offset={where.offset} />
      </aside>
      <div className="content">
        <div className="toolbar">
          <h1>{user === null ? "Recommended" : `Recommended to ${user}`}</h1>
          <div className={`${css["choices"]} toolbar-end`}>
            <Slider
              label="Diversity"
              min={0}
              max={1}
              step={0.1}
              value={asked.diversity}
              format={(value) => (value === 0 ? "none" : value.toFixed(1))}
              onChange={(value) => setParams({ diversity: value === 0 ? null : value }, { replace: true })}
            />
            {groupable.length > 0 && (
              <Select
                label="One of each"
                value={asked.groupBy ?? ""}
                options={[{ value: "", label: "picture" }, ...groupable.map((name) => ({ value: name, label: name }))]}
                onChange={(name) => setParams({ group_by: name || null })}
              />
            )}
          </div>
        </div>
        <SetFilters selections={asked.selections} expert={asked.expert} />
        <p className="muted" role="status">
          {taste.likes.length === 0 && user === null
            ? "Like a few pictures. Everything after that follows what you like; keys l and d work on the picture in focus."
            : `${stream.data?.interests ?? 0} ${stream.data?.interests === 1 ? "interest" : "interests"} from ${taste.likes.length} liked and ${taste.dislikes.length} disliked.`}
        </p>
        {stream.error !== null && !stream.loading ? (
          <ErrorState error={stream.error} retry={stream.reload} />
        ) : stream.data === null ? (
          <GridSkeleton tiles={CARDS} />
        ) : cards.length === 0 ? (
          <EmptyState icon="recommend" title="Nothing is left to recommend">
            Take a filter away, or start anew.
          </EmptyState>
        ) : (
          <div id="stream" className={css["stream"]} aria-busy={stream.loading}>
            <Grid label="Recommendations" onTileKey={onTileKey}>
              {cards.map((card, at) => {
                const [because] = card.because;
                return (
                  <Card
                    key={card.id}
                    card={card}
                    name={nameOf(card.id, card.attributes)}
                    note={noteOf(card.attributes, asked.groupBy)}
                    reason={card.origin === null ? null : reasonOf(card.origin, because, known)}
                    because={because ? (stream.data?.pictures[because.id]?.thumbnail ?? null) : null}
                    eager={at < 12}
                    recorded={user !== null}
                    onOpen={() => setParams({ open: card.id })}
                    onLike={() => void judge(card, at, "like")}
                    onDislike={() => void judge(card, at, "dislike")}
                  />
                );
              })}
            </Grid>
          </div>
        )}
        {stream.data?.provenance && (
          <p className="provenance">
            encoder {stream.data.provenance.encoder} · strategy {stream.data.provenance.strategy} · collection version {stream.data.provenance.version}
          </p>
        )}
      </div>
      {asked.open !== null && (
        <ItemDialog
          collection={collection}
          id={asked.open}
          hits={cards.map((card) => ({ ...card, score: 0, strength: null }))}
          query={NO_QUERY}
          onSimilar={(id) => navigate("search", { collection, id })}
          onClose={() => setParams({ open: null })}
        />
      )}
    </main>
  );
}
