/** A table of attributes: read as CSV (RFC 4180), matched to files by their names, values by the types they have. */

import type { AttributeType, AttributeValue } from "../../api/types";

export interface Table {
  columns: string[];
  rows: string[][];
}

/** Comma, semicolon or tab: whichever the first line has most of. */
function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  return [",", ";", "\t"].reduce((best, each) => (line.split(each).length > line.split(best).length ? each : best));
}

export function parseCsv(source: string): Table {
  const text = source.replace(/^\uFEFF/, "");
  const separator = separatorOf(text);
  const lines: string[][] = [];
  let [line, field, quoted]: [string[], string, boolean] = [[], "", false];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quoted) {
      if (char !== '"') field += char;
      else if (text.charAt(at + 1) === '"') field += text.charAt(++at);
      else quoted = false;
    } else if (char === '"' && field === "") quoted = true;
    else if (char === separator) [line, field] = [[...line, field], ""];
    else if (char === "\n" || char === "\r") {
      if (char === "\r" && text.charAt(at + 1) === "\n") at++;
      lines.push([...line, field]);
      [line, field] = [[], ""];
    } else field += char;
  }
  if (quoted) throw new Error("a quoted field of the table never ends");
  if (field !== "" || line.length > 0) lines.push([...line, field]);
  const [columns, ...rows] = lines.filter((each) => each.some((value) => value.trim() !== ""));
  if (!columns || columns.length < 2) throw new Error("the table needs a first line with column names, one of them for the files");
  return { columns: columns.map((name) => name.trim()), rows };
}

const KEYS = ["file", "filename", "file_name", "image", "path", "id"];

/** The column that names the files: by its name, else the first. */
export function keyColumn({ columns }: Table): number {
  const at = columns.findIndex((name) => KEYS.includes(name.toLowerCase()));
  return at === -1 ? 0 : at;
}

const isNumber = (text: string) => text.trim() !== "" && Number.isFinite(Number(text));
const isTruth = (text: string) => /^(true|false)$/i.test(text.trim());

/** The type of a column: that of the collection's attribute, else what all its values can be. */
function typeOf(values: string[], known: AttributeType | undefined): AttributeType {
  if (known) return known;
  const given = values.filter((value) => value !== "");
  if (given.length > 0 && given.every(isTruth)) return "boolean";
  return given.length > 0 && given.every(isNumber) ? "number" : "text";
}

function valueOf(text: string, type: AttributeType): AttributeValue {
  if (type === "boolean" && isTruth(text)) return text.trim().toLowerCase() === "true";
  if ((type === "number" || type === "integer") && isNumber(text)) return Number(text);
  if (type === "list") return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return text;
}

export type AttributesByName = Map<string, Record<string, AttributeValue>>;

/** Attributes by what the table calls the files. Empty fields say nothing. A value of the wrong type stays a text, and the service says so. */
export function attributesByName(table: Table, known: Record<string, AttributeType>): AttributesByName {
  const key = keyColumn(table);
  const types = table.columns.map((name, at) => typeOf(table.rows.map((row) => row[at] ?? ""), known[name]));
  const all: AttributesByName = new Map();
  for (const row of table.rows) {
    const attributes: Record<string, AttributeValue> = {};
    table.columns.forEach((name, at) => {
      const text = row[at] ?? "";
      if (at !== key && name !== "" && text !== "") attributes[name] = valueOf(text, types[at] ?? "text");
    });
    const file = (row[key] ?? "").trim();
    if (file !== "") all.set(file, attributes);
  }
  return all;
}

/** The attributes of one file: by its whole path, by the path's end, by its bare name. */
export function attributesOf(all: AttributesByName, path: string): Record<string, AttributeValue> | undefined {
  const parts = path.split("/");
  for (let from = 0; from < parts.length; from++) {
    const found = all.get(parts.slice(from).join("/"));
    if (found) return found;
  }
  return undefined;
}
