/** How far something is; `total` null: nobody knows. */
export function Progress({ label, done, total }: { label: string; done: number; total: number | null }) {
  const known = total !== null && total > 0;
  const percent = known ? Math.min(100, Math.round((done / total) * 100)) : null;
  return (
    <div className="progress">
      <div className="field-line">
        <span>{label}</span>
        <output>{percent === null ? "…" : `${percent}%`}</output>
      </div>
      <progress aria-label={label} max={known ? total : undefined} value={known ? done : undefined} />
    </div>
  );
}
