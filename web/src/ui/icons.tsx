/** The page's own icons: 24 x 24, drawn with the text's colour. */

const PATHS = {
  search: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5 12 4.5 4.5",
  map: "M4 20V4m0 16h16M8.5 15.5h.01M12 9h.01M15 13.5h.01M18 7h.01M10 12h.01M17.5 16h.01",
  groups: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  labels: "M4 4h8l8 8-8 8-8-8V4Zm4 4h.01",
  recommend: "M12 20s-7.5-4.6-7.5-10A4.3 4.3 0 0 1 12 7.4 4.3 4.3 0 0 1 19.5 10C19.5 15.4 12 20 12 20Z",
  cameras: "M3 7h12v10H3zM15 10.5 21 7v10l-6-3.5",
  add: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 10a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7Z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9h.01",
  upload: "M12 16V5m-4.5 4L12 4.5 16.5 9M4 16v4h16v-4",
  download: "M12 4v11m-4.5-4L12 15.5l4.5-4.5M4 16v4h16v-4",
  crop: "M7 3v14h14M3 7h14v14",
  minus: "M5 12h14",
  ban: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM6.5 6.5l11 11",
  heat: "M12 3c1 3.5 5 5.5 5 10a5 5 0 0 1-10 0c0-2 1-3.5 2-4.5.3 1.5 1 2.2 1.8 2.5C10.3 8.5 10.5 5.5 12 3Z",
  info: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16Zm0 7v5m0-8.5h.01",
  heart: "M12 20s-7.5-4.6-7.5-10A4.3 4.3 0 0 1 12 7.4 4.3 4.3 0 0 1 19.5 10C19.5 15.4 12 20 12 20Z",
  thumbDown: "M7 4v10m0-10h9.5a2 2 0 0 1 2 1.6l1.2 6A2 2 0 0 1 17.7 14H13l.8 4.2A2 2 0 0 1 10.2 19.5L7 14m0-10H4v10h3",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM12 2.5v2m0 15v2M2.5 12h2m15 0h2M5.3 5.3l1.4 1.4m10.6 10.6 1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M19.5 14A8 8 0 0 1 10 4.5a8 8 0 1 0 9.5 9.5Z",
  system: "M3.5 5h17v11h-17zM9 20h6m-3-4v4",
  filter: "M4 6h16M7 12h10M10 18h4",
  chevronDown: "M6 9.5l6 6 6-6",
  chevronRight: "M9.5 6l6 6-6 6",
  chevronLeft: "M14.5 6l-6 6 6 6",
  help: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16Zm-2.3 5.8a2.4 2.4 0 1 1 3.5 2.1c-.8.4-1.200.9-1.2 1.7M12 16.5h.01",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  folder: "M3 6h6l2 2.5h10V19H3z",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1.2 1.2M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1.2-1.2",
  warning: "M12 4 21 19H3zM12 10v4m0 2.5h.01",
  user: "M12 4.5a3.75 3.75 0 1 1 0 7.5 3.75 3.75 0 0 1 0-7.5ZM4.5 20a7.5 7.5 0 0 1 15 0",
  key: "M15 4.5a4.5 4.5 0 1 1-3.9 6.75L4.5 18v2H8v-2h2v-2h1.5l1.2-2.9M16 8h.01",
  trash: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10 11v5m4-5v5",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9m0-5v5h-5",
  split: "M12 20v-7M12 13 6 6m6 7 6-7M6 11V6h5m7 5V6h-5",
  merge: "M12 4v7m0 0-6 8m6-8 6 8M9 7l3-3 3 3",
  edit: "M4 20h4L19.5 8.5l-4-4L4 16z",
  lasso: "M12 5c5 0 8.5 2.2 8.5 5s-3.5 5-8.5 5-8.5-2.2-8.5-5S7 5 12 5Zm-5 9.3C5 15 5.5 19 8.5 20",
  signOut: "M14 4H5v16h9M10 12h10.5m-4-4 4 4-4 4",
  zip: "M6 3h8l4 4v14H6zM10 3v2m2 0v2m-2 0v2m2 0v2m-2 3h2v3h-2z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18, filled = false }: { name: IconName; size?: number; filled?: boolean }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={filled ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth={1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
