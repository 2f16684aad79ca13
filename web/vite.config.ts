import { defineConfig } from "vite";

import { licences } from "./licences.ts";

// The page is served by gemel itself under `default-src 'self'`: nothing inline, no data: addresses, no other
// host. Paths are relative, so that it also works behind a proxy under a prefix.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [licences()],
  build: {
    outDir: "../src/gemel/serve/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: "http://127.0.0.1:8090", ws: true } } },
});
