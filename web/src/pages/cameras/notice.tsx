import { Icon } from "../../ui/icons";

/** What has to be settled before people are followed; docs/lawful-use.md says more. */
export function Notice() {
  return (
    <aside className="lawful" aria-label="Lawful use">
      <p>
        <Icon name="info" size={16} />
        <strong>Pictures of people are personal data.</strong>
      </p>
      <p>A match says that two pictures look alike. It is no proof, and nothing that matters to somebody may follow from it alone: look at the pictures yourself.</p>
      <p>Every search for somebody is logged: when, who, why, how many answers.</p>
      <details>
        <summary>Before you follow anybody</summary>
        <ul>
          <li>Name the purpose and the legal ground; where counting is enough, keep no identities.</li>
          <li>Tell those who are filmed who is responsible, what for and how long.</li>
          <li>Keep recordings as shortly as serves the purpose; retention is set for each camera.</li>
          <li>Settle who may search, and who reads the log: somebody who does not search.</li>
          <li>People in uniforms, at night and far away are confused more often. Measure on your own cameras.</li>
          <li>Somebody who asks may see what is kept of them and have it erased.</li>
        </ul>
        <p>This is no legal advice. Following people is restricted in many countries, and some forms are forbidden.</p>
      </details>
    </aside>
  );
}
