import { useCollection } from "../../state/collection";
import { Select } from "../../ui/fields";

/** Items that belong together, such as views of one product, are judged together: else every figure flatters. */
export function GroupBy({ value, without, onChange }: { value: string | null; without: string; onChange: (value: string | null) => void }) {
  const { info } = useCollection();
  const names = Object.entries(info.attributes).filter(([name, type]) => type === "text" && name !== without);
  return (
    <Select
      label="Keep together"
      value={value ?? ""}
      options={[{ value: "", label: "nothing" }, ...names.map(([name]) => ({ value: name, label: `equal ${name}` }))]}
      onChange={(next) => onChange(next || null)}
    />
  );
}
