import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/static/viewer/",
  publicDir: false,
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../platform/deepmedix_review/static/viewer",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    // The content security policy has no data: for scripts, styles or wasm.
    assetsInlineLimit: 0,
    // Nearly all of it is vtk.js, which the reading page and the study page alone load.
    chunkSizeWarningLimit: 6000,
    rollupOptions: {
      // htmx carries an eval that its allowEval = false and the content security policy both forbid.
      checks: { eval: false },
      input: {
        app: "src/app.ts",
        "reading-room": "src/reading-room/main.tsx",
        worklist: "src/worklist/main.ts",
        "look-sheet": "src/look-sheet/main.ts",
        "mask-film": "src/mask-film/main.ts",
        "study-film": "src/study-film/main.ts",
      },
    },
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node" },
});
