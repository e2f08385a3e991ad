import { type Changes, type PageName, useAddress } from "../state/address";
import { type Current, switchCollection } from "../state/collection";
import { setTheme, type Theme, useTheme } from "../state/theme";
import { IconButton } from "../ui/button";
import { Icon, type IconName } from "../ui/icons";
import { Link } from "./link";
import { SignOut } from "./sign-out";

const NAVIGATION: readonly { page: PageName; label: string; icon: IconName }[] = [
  { page: "search", label: "Search", icon: "search" },
  { page: "map", label: "Map", icon: "map" },
  { page: "groups", label: "Groups", icon: "groups" },
  { page: "labels", label: "Labels", icon: "labels" },
  { page: "recommend", label: "Recommend", icon: "recommend" },
  { page: "cameras", label: "Cameras", icon: "cameras" },
  { page: "add", label: "Add", icon: "add" },
];

const NEXT: Record<Theme, { theme: Theme; icon: IconName; label: string }> = {
  system: { theme: "light", icon: "system", label: "Theme: as the system. Switch to light" },
  light: { theme: "dark", icon: "sun", label: "Theme: light. Switch to dark" },
  dark: { theme: "system", icon: "moon", label: "Theme: dark. Switch to the system's" },
};

function ThemeButton() {
  const { theme, icon, label } = NEXT[useTheme()];
  return <IconButton icon={icon} label={label} filled={false} onClick={() => setTheme(theme)} />;
}

function CollectionSwitch({ current }: { current: Current }) {
  const { page } = useAddress();
  if (current.all.length === 1)
    return (
      <span className="collection-name" title={`${current.info.items.toLocaleString("en")} items`}>
        {current.name}
      </span>
    );
  return (
    <select
      className="collection-switch"
      aria-label="Collection"
      value={current.name}
      onChange={(event) => switchCollection(event.target.value, page)}
    >
      {current.all.map((each) => (
        <option key={each.name} value={each.name}>
          {each.name} ({each.items.toLocaleString("en")})
        </option>
      ))}
    </select>
  );
}

export function Header({ current }: { current: Current | null }) {
  const { page } = useAddress();
  const params: Changes = current ? { collection: current.name } : {};
  return (
    <header className="header">
      <Link className="brand" page="search" params={params} aria-label="lookalike: start anew">
        <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
          <rect className="brand-back" width="32" height="32" rx="8" />
          <circle cx="13" cy="16" r="6.5" fill="none" stroke="#fff" strokeWidth="2.5" />
          <circle cx="19" cy="16" r="6.5" fill="none" stroke="#fff" strokeWidth="2.5" opacity=".7" />
        </svg>
        <span className="brand-name">lookalike</span>
      </Link>
      <nav className="nav" aria-label="Pages">
        {NAVIGATION.map((entry) => (
          <Link key={entry.page} className="nav-link" page={entry.page} params={params} aria-current={entry.page === page ? "page" : undefined}>
            <Icon name={entry.icon} size={18} />
            <span>{entry.label}</span>
          </Link>
        ))}
      </nav>
      <div className="header-end">
        {current && <CollectionSwitch current={current} />}
        <ThemeButton />
        <SignOut />
      </div>
    </header>
  );
}
