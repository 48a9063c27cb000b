// The pages as people meet them: real Chromium on the demo's server, phone and desktop, both languages, with scripts and without.
// Every page and state that is reached is looked at by axe. Usage: node e2e/pages.mjs NGOMON DIRECTORY [WALK…]

import { chromium } from "playwright-core";
import { Visitor, demo, pages } from "./demo.mjs";

// A file a walk.
const WALKS = ["citizen", "held", "idle", "integrators", "join", "operator", "passkeys", "profile", "report", "reset", "systems", "waiting", "ways"];

const [ngomon, directory, ...only] = process.argv.slice(2);
const walks = await Promise.all(
  WALKS.filter((name) => only.length === 0 || only.includes(name)).map((name) => import(`./${name}.mjs`)),
);
const { server, url } = await demo(ngomon, directory);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  for (const [device, viewport] of [
    ["phone", { width: 360, height: 740 }],
    ["desktop", { width: 1280, height: 900 }],
  ])
    for (const language of ["vi", "en"])
      for (const scripts of [true, false])
        for (const { walk } of walks)
          await walk(new Visitor(browser, url, directory, { device, viewport, language, scripts }));
  const phone = { device: "phone", viewport: { width: 360, height: 740 }, language: "vi", scripts: true };
  for (const { last } of walks) await last?.(new Visitor(browser, url, directory, phone));
} finally {
  for (const { close } of walks) close?.();
  await browser.close();
  server.kill();
}
console.log(`${pages()} pages looked at`);
