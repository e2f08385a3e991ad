/** Classifiers and reviews of labels. */

import { collectionPath, del, get, type Options } from "./client";

export interface ClassReport {
  label: string;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  support: number;
}

export interface Report {
  items: number;
  accuracy: number;
  macro_recall: number;
  macro_f1: number;
  log_loss: number;
  ece: number;
  classes: ClassReport[];
  /** True class, predicted class, how many; those that occur. */
  confusions: [number, number, number][];
}

export interface ClassifierSummary {
  name: string;
  labels: string[];
  method: string;
  version: number;
  /** Items it learned from. */
  examples: number;
  /** Out of fold; null: nothing could be held out. */
  accuracy: number | null;
}

export interface Classifier {
  name: string;
  labels: string[];
  report: Report | null;
  provenance: Record<string, unknown>;
}

export interface TrainSettings {
  label: string;
  name: string | null;
  method: "auto" | "linear" | "neighbours" | "prototypes";
  group_by: string | null;
}

export interface LabelError {
  id: string;
  label: string;
  suggested: string;
  self_confidence: number;
  margin: number;
}

export interface ToLabel {
  id: string;
  likeliest: string;
  probability: number;
}

export interface Outlier {
  id: string;
  label: string;
  within: number | null;
  outside: number | null;
}

export interface Review {
  errors: LabelError[];
  errors_found: number;
  to_label: ToLabel[];
  outliers: Outlier[];
  provenance: Record<string, unknown>;
}

export const classifiersPath = (collection: string): string => collectionPath(collection, "classifiers");
export const reviewPath = (collection: string): string => collectionPath(collection, "review");
export const applyPath = (collection: string, name: string): string => collectionPath(collection, "classifiers", name, "apply");

export async function listClassifiers(collection: string, options?: Options): Promise<ClassifierSummary[]> {
  return (await get<{ classifiers: ClassifierSummary[] }>(classifiersPath(collection), options)).classifiers;
}

export function readClassifier(collection: string, name: string, options?: Options): Promise<Classifier> {
  return get<Classifier>(collectionPath(collection, "classifiers", name), options);
}

/** What the last review found, without items that were removed since. */
export function readReview(collection: string, options?: Options): Promise<Review> {
  return get<Review>(reviewPath(collection), options);
}

export function removeClassifier(collection: string, name: string): Promise<unknown> {
  return del(collectionPath(collection, "classifiers", name));
}
