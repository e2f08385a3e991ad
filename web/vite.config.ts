import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The service that `npm run dev` passes requests on to; `LOOKALIKE=http://127.0.0.1:8123 npm run dev` takes another. */
const service = process.env["LOOKALIKE"] ?? "http://127.0.0.1:8000";
const served = ["/v1", "/live", "/ready", "/metrics", "/docs", "/openapi.json", "/widget.js"];

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/lookalike/service/page",
    emptyOutDir: true,
    target: "es2022",
    // The Content-Security-Policy allows neither data: scripts nor anything inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: Object.fromEntries(served.map((path) => [path, { target: service, changeOrigin: false }])) },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
