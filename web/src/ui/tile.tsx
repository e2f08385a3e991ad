import { type ReactNode, useState } from "react";
import { Icon } from "./icons";

export interface TileProps {
  src: string;
  /** What the picture is: its name for people, else its id. */
  name: string;
  onOpen?: () => void;
  /** Under the picture. */
  children?: ReactNode;
  /** Buttons over the picture, shown when pointed at or focused, always on touch screens. */
  actions?: ReactNode;
  /** A mark in the corner. */
  badge?: ReactNode;
  selected?: boolean;
  /** Not yet needed on the screen: loaded when near. The first row is eager. */
  eager?: boolean;
}

/** One picture of a grid. Use inside `<Grid>`. */
export function Tile({ src, name, onOpen, children, actions, badge, selected, eager }: TileProps) {
  const [broken, setBroken] = useState(false);
  const picture = broken ? (
    <span className="tile-broken">
      <Icon name="image" size={28} />
      No picture
    </span>
  ) : (
    <img src={src} alt={name} loading={eager ? "eager" : "lazy"} decoding="async" draggable={false} onError={() => setBroken(true)} />
  );
  return (
    <article className={selected ? "tile tile-selected" : "tile"} data-tile>
      <div className="tile-picture">
        {onOpen ? (
          <button type="button" className="tile-open" onClick={onOpen} data-tile-open>
            {picture}
          </button>
        ) : (
          picture
        )}
        {badge && <div className="tile-badge">{badge}</div>}
        {actions && <div className="tile-actions">{actions}</div>}
      </div>
      {children && <div className="tile-foot">{children}</div>}
    </article>
  );
}
