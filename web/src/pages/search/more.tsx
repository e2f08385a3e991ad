import { useEffect, useRef } from "react";
import { Button } from "../../ui/button";

/** More by itself when the end comes near, and by a button for keys. */
export function More({ available, loading, onMore }: { available: boolean; loading: boolean; onMore: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  useEffect(() => {
    const shown = button.current;
    if (!available || loading || !shown) return;
    const watching = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more.current(), { rootMargin: "200px" });
    watching.observe(shown);
    return () => watching.disconnect();
  }, [available, loading]);
  if (!available) return null;
  return (
    <Button ref={button} disabled={loading} onClick={onMore}>
      {loading ? "Loading more…" : "More"}
    </Button>
  );
}
