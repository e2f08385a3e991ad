import { setParams, useParam } from "../../state/address";
import { Segmented } from "../../ui/fields";
import { ForbiddenNote } from "../../ui/forbidden";
import { Clusters } from "./clusters";
import { Duplicates } from "./duplicates";
import "./groups.css";

const VIEWS = [
  { value: "clusters", label: "Clusters" },
  { value: "duplicates", label: "Duplicates" },
];

export default function GroupsPage() {
  const [view] = useParam("view");
  const shown = view === "duplicates" ? "duplicates" : "clusters";
  const switcher = (
    <>
      <h1>Groups</h1>
      <Segmented label="Show" value={shown} options={VIEWS} onChange={(next) => setParams({ view: next === "clusters" ? null : next, group: null })} />
      <ForbiddenNote needs="write" />
    </>
  );
  return (
    <main id="main" className="page page-split">
      {shown === "clusters" ? <Clusters switcher={switcher} /> : <Duplicates switcher={switcher} />}
    </main>
  );
}
