import { defineConfig } from "vite";

// Names without a hash: the committed files keep their names, and the server tells a change by an ETag.
export default defineConfig({
  base: "/assets/",
  build: {
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: false,
    // The chart, on report pages only.
    chunkSizeWarningLimit: 600,
    rollupOptions: {
      input: { app: "src/app.js", passkey: "src/passkey.js", report: "src/report.js", style: "src/style.scss" },
      output: { entryFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
  css: {
    // GOV.UK Frontend carries a rule for an old browser that Lightning CSS does not read.
    lightningcss: { errorRecovery: true },
    preprocessorOptions: { scss: { loadPaths: ["node_modules"], quietDeps: true } },
  },
});
