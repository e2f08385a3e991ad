// After the page: Swagger UI for /docs, from our own origin and without inline scripts.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const target = process.argv[2] ?? join(here, "../../src/lookalike/service/page/docs");

mkdirSync(target, { recursive: true });
copyFileSync(join(swagger, "swagger-ui.css"), join(target, "swagger-ui.css"));
const bundle = readFileSync(join(swagger, "swagger-ui-bundle.js"), "utf8");
writeFileSync(join(target, "swagger-ui-bundle.js"), bundle.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
copyFileSync(join(here, "docs-init.js"), join(target, "init.js"));
copyFileSync(join(swagger, "LICENSE"), join(target, "LICENSE"));
