import { useEffect, useRef } from "react";

/** Keys of a page that is worked by keyboard: not while something is typed, a dialog is open, or with Ctrl and the like. */
export function useKeys(act: (key: string) => boolean): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
      if (["Enter", " "].includes(event.key) && target.closest("button, a, summary")) return;
      if (latest.current(event.key)) event.preventDefault();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
