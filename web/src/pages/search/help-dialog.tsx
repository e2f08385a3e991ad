import { Dialog } from "../../ui/dialog";
import css from "./search.module.css";

const KEYS: readonly [string[], string][] = [
  [["/"], "Go to the words"],
  [["Ctrl", "V"], "Search by the picture in the clipboard, from any page"],
  [["←", "→", "↑", "↓"], "Move in the grid"],
  [["Enter"], "Details of a picture"],
  [["s"], "Similar to this"],
  [["l"], "Like"],
  [["n"], "Not like this"],
  [["w"], "Why similar"],
  [["Delete"], "Remove the crop; arrow keys move it, with Shift they resize it"],
  [["?"], "This help"],
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className={css["keys"]}>
        {KEYS.map(([keys, what]) => (
          <div key={what} style={{ display: "contents" }}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
