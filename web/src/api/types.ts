/** The service's JSON, as the shell and the pages Search, Recommend and Add read it. */

export type AttributeValue = string | number | boolean | null | string[];
export type Attributes = Record<string, AttributeValue>;
export type AttributeType = "text" | "integer" | "number" | "boolean" | "list";

export interface CollectionSummary {
  name: string;
  items: number;
}

export interface CollectionInfo {
  items: number;
  version: number;
  encoder: string;
  fingerprint: string;
  dimensions: number;
  attributes: Record<string, AttributeType>;
  index: { kind: string };
  fitted: { kind: string; name: string; version: number }[];
}

export interface Item {
  id: string;
  width?: number | null;
  height?: number | null;
  attributes: Attributes;
  thumbnail: string;
  original: string;
}

export interface ItemPage {
  items: Item[];
  next: string | null;
}

export interface Hit {
  id: string;
  score: number;
  strength: number | null;
  attributes: Attributes;
  thumbnail: string;
  original: string;
}

export interface FacetValue {
  value: string | number | boolean;
  count: number;
}

export interface Facet {
  type: AttributeType;
  values?: FacetValue[];
  missing: number;
  min?: number | null;
  max?: number | null;
  histogram?: { from: number; to: number; count: number }[];
}

export type Facets = Record<string, Facet>;

export interface FacetAnswer {
  items: number;
  facets: Facets;
}

export interface Provenance {
  version?: number;
  encoder?: string;
  fingerprint?: string;
  index?: { kind?: string; rows?: number };
  parameters?: Record<string, unknown>;
}

export interface SearchAnswer {
  query: unknown;
  answered_by: string;
  query_thumbnail?: string | null;
  hits: Hit[];
  facets?: FacetAnswer | Facets | null;
  provenance: Provenance;
  took_ms: number;
}

export interface Because {
  id: string;
  similarity: number;
  share: number;
  together: number;
  event: string | null;
  time: number | string | null;
}

export interface Recommendation {
  id: string;
  score: number;
  origin: string;
  interest: number | null;
  attributes: Attributes;
  because: Because[];
  thumbnail: string;
  original: string;
}

export interface RecommendAnswer {
  user: string | null;
  recommendations: Recommendation[];
  interests: { importance: number; medoid: string; members: string[] }[];
  /** Pictures by the names in `because` and `interests`: ids, or values of the attribute that is recommended. */
  example_pictures: Record<string, { thumbnail: string; original: string }>;
  provenance: Provenance & { strategy?: string };
}

export interface Ledger {
  added: number;
  updated: number;
  unchanged: number;
  failed: number;
  failures: { uri: string; reason: string }[];
  ids?: string[];
  unmatched_attributes?: number;
}
