/** How strong a match is, as a bar and a number; 0 to 1. */
export function Strength({ value }: { value: number }) {
  const percent = Math.round(value * 100);
  return (
    <span className="strength" title={`Match strength ${percent}%`}>
      <span className="strength-bar" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>
      <span className="strength-number">
        <span className="visually-hidden">Match strength </span>
        {percent}%
      </span>
    </span>
  );
}
