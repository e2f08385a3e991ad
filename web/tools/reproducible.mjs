// The page inside the package has to be what these sources make: built twice elsewhere, both equal to it byte by byte.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const committed = join(web, "../src/lookalike/service/page");

function contentsOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return [relative(folder, path), createHash("sha256").update(readFileSync(path)).digest("hex")];
  }));
}

function differences(a, b) {
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path)).sort();
}

function build() {
  const folder = mkdtempSync(join(tmpdir(), "lookalike-page-"));
  try {
    execFileSync("npx", ["vite", "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "error"], { cwd: web, stdio: ["ignore", "ignore", "inherit"] });
    execFileSync("node", ["tools/docs.mjs", join(folder, "docs")], { cwd: web });
    return contentsOf(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first, second, there] = [build(), build(), contentsOf(committed)];
const wrong = { "two builds differ": differences(first, second), "the committed page is not what the sources make; run npm run build": differences(first, there) };
for (const [what, files] of Object.entries(wrong)) {
  if (files.length === 0) continue;
  console.error(`${what}:\n  ${files.join("\n  ")}`);
  process.exitCode = 1;
}
if (!process.exitCode) console.log(`${there.size} files, the same in two builds and in the package`);
