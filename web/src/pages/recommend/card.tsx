import { Button } from "../../ui/button";
import { Tile } from "../../ui/tile";
import css from "./recommend.module.css";
import type { Card as CardData } from "./use-stream";

interface CardProps {
  card: CardData;
  name: string;
  note: string;
  reason: string | null;
  /** Picture of the example that speaks for it. */
  because: string | null;
  eager: boolean;
  /** What one thinks of it is recorded for a user. */
  recorded: boolean;
  onOpen: () => void;
  onLike: () => void;
  onDislike: () => void;
}

/** One recommendation: the picture, why it is here, and what one thinks of it. */
export function Card({ card, name, note, reason, because, eager, recorded, onOpen, onLike, onDislike }: CardProps) {
  const needs = recorded ? "write" : undefined;
  return (
    <Tile src={card.thumbnail} name={name} onOpen={onOpen} eager={eager}>
      <span className="tile-name">{name}</span>
      <span className="tile-note">{note}</span>
      {reason && (
        <span className={css["reason"]}>
          {because && <img src={because} alt="" width={32} height={32} />}
          <span>{reason}</span>
        </span>
      )}
      <span className={css["verdict"]}>
        <Button small icon="thumbDown" needs={needs} aria-label={`Dislike ${name}`} title="Dislike (d)" onClick={onDislike} />
        <Button small icon="heart" look="primary" needs={needs} aria-label={`Like ${name}`} title="Like (l)" onClick={onLike}>
          Like
        </Button>
      </span>
    </Tile>
  );
}
