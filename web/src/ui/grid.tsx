import { type KeyboardEvent, type ReactNode, useRef } from "react";

const SELECTOR = "[data-tile-open]";

/** Where an arrow key leads in a grid of `count` tiles, `columns` in a row; null: nowhere. */
export function step(key: string, at: number, count: number, columns: number): number | null {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: count - 1 }[key];
  return to === undefined || to < 0 || to >= count || to === at ? null : to;
}

/** How many tiles stand in the first row. */
function columnsOf(tiles: HTMLElement[]): number {
  const top = tiles[0]?.getBoundingClientRect().top ?? 0;
  const next = tiles.findIndex((tile) => tile.getBoundingClientRect().top > top + 4);
  return next === -1 ? Math.max(1, tiles.length) : next;
}

/** Pictures in rows; arrow keys, Home and End move the focus between tiles that open. */
export function Grid({ children, label, onTileKey }: { children: ReactNode; label: string; onTileKey?: (key: string, index: number) => void }) {
  const ref = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tiles = Array.from(ref.current?.querySelectorAll<HTMLElement>(SELECTOR) ?? []);
    const tile = (event.target as HTMLElement).closest("[data-tile]")?.querySelector<HTMLElement>(SELECTOR);
    const at = tile ? tiles.indexOf(tile) : -1;
    if (at < 0) return;
    const to = step(event.key, at, tiles.length, columnsOf(tiles));
    if (to !== null) {
      event.preventDefault();
      tiles[to]?.focus();
      tiles[to]?.scrollIntoView({ block: "nearest" });
    } else {
      onTileKey?.(event.key, at);
    }
  };
  return (
    <div ref={ref} className="grid" role="group" aria-label={label} onKeyDown={onKeyDown}>
      {children}
    </div>
  );
}
