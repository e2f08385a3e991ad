// Sizes of the built page, as they travel (gzip), and its budget: 400 kB of JavaScript without the map.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 400_000;
const assets = join(dirname(fileURLToPath(import.meta.url)), "../../src/lookalike/service/page/assets");
const sizes = readdirSync(assets).map((name) => {
  const data = readFileSync(join(assets, name));
  return { name, raw: data.length, gzip: gzipSync(data, { level: 9 }).length };
});
sizes.sort((a, b) => b.gzip - a.gzip);
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
for (const { name, raw, gzip } of sizes) console.log(`${kB(gzip)} gzip ${kB(raw)}  ${name}`);
const counted = sizes.filter(({ name }) => name.endsWith(".js") && !name.startsWith("map-")).reduce((sum, { gzip }) => sum + gzip, 0);
console.log(`${kB(counted)} gzip: JavaScript without the map, of ${kB(BUDGET).trim()}`);
if (counted > BUDGET) process.exitCode = 1;
