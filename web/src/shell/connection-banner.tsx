import { useConnection } from "../state/load";
import { Icon } from "../ui/icons";

/** Says that the connection is lost or that the service is busy, as long as it is. */
export function ConnectionBanner() {
  const { lost, busyUntil } = useConnection();
  const text = lost
    ? "Connection lost. The page keeps trying and goes on by itself."
    : busyUntil !== null
      ? "The service is busy. The request is sent again in a moment."
      : null;
  return (
    <div role="status" aria-live="polite">
      {text && (
        <div className={lost ? "banner banner-lost" : "banner"}>
          <Icon name="warning" size={16} /> {text}
        </div>
      )}
    </div>
  );
}
