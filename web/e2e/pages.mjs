// The pages as people meet them: real Chromium on the demo's server, phone and desktop, both languages, with scripts and without.
// Every page and state that is reached is looked at by axe. Usage: node e2e/pages.mjs NGOMON DIRECTORY

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [ngomon, directory] = process.argv.slice(2);
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

const rows = (name) => {
  const text = readFileSync(new URL(`../../fixtures/demo/${name}.csv`, import.meta.url), "utf8");
  const [head, ...lines] = text.trim().split("\n").map((line) => line.split(","));
  return lines.map((line) => Object.fromEntries(head.map((column, at) => [column, line[at]])));
};
const registry = new Map(rows("registry").map((person) => [person.national_id, person]));
const sent = new Set(rows("submissions").map((form) => form.account_id));
// Whoever has not been standardised and stands in the registry under the name of the account.
const waiting = rows("citizens").filter((account) => {
  const person = registry.get(account.national_id);
  return !sent.has(account.account_id) && person?.status === "active" && person.full_name === account.display_name;
});

async function demo() {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const server = spawn(ngomon, ["demo", "--listen", "127.0.0.1:0", "--data", `${directory}/data`], {
    env: { ...process.env, LC_ALL: "vi_VN.UTF-8" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const url = line.match(/http:\/\/localhost:\d+/)?.[0];
    if (url) {
      server.stdout.resume();
      return { server, url };
    }
  }
  throw new Error("the demo ended before it opened its pages");
}

let looked = 0;

async function walk(browser, url, { device, viewport, language, scripts }) {
  const context = await browser.newContext({ viewport, javaScriptEnabled: scripts, bypassCSP: true });
  const page = await context.newPage();
  const name = [device, language, scripts ? "scripts" : "plain"].join("-");
  const words = {
    vi: { differs: "9 số", later: "Để sau", on: "Tiếp tục", out: "Đăng xuất", send: "Gửi thông tin", enter: "Đăng nhập" },
    en: { differs: "9 were entered", later: "Later", on: "Continue", out: "Sign out", send: "Send", enter: "Sign in" },
  }[language];
  const button = (label) => page.getByRole("button", { name: label, exact: true });

  const look = async (state) => {
    looked += 1;
    assert.equal(await page.locator("html").getAttribute("lang"), language, `${name} ${state}`);
    assert.equal(await page.locator("h1").count(), 1, `${name} ${state}: one heading`);
    await page.screenshot({ path: `${directory}/${name}-${state}.png`, fullPage: true });
    if (!scripts) return;
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name} ${state}: ${wide} pixels too wide`);
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run());
    const faults = found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(faults, [], `${name} ${state}`);
  };
  const signIn = async (username, password) => {
    await page.fill("#username", username);
    await page.fill("#password", password);
    await button(words.enter).click();
  };
  const signOut = async () => {
    await button(words.out).click();
    await page.waitForURL("**/sign-in");
  };

  await page.goto(url);
  await page.waitForURL("**/sign-in");
  if (language === "en") await page.getByRole("link", { name: "English" }).click();
  await look("sign-in");

  const owner = waiting.shift();
  await signIn(owner.username, "not the password");
  await page.locator(".govuk-error-summary").waitFor();
  await look("sign-in-wrong");

  await signIn(owner.username, `Hue-${owner.account_id}`);
  await page.waitForURL("**/form");
  await look("form");
  await page.fill("#national_id", "191234567");
  await button(words.send).click();
  await page.locator(".govuk-error-summary").waitFor();
  assert.ok((await page.locator("#national_id-error").innerText()).includes(words.differs), name);
  assert.equal(await page.inputValue("#national_id"), "191234567", "what was typed is kept");
  await look("form-malformed");

  const person = registry.get(owner.national_id);
  const right = [
    ["#full_name", person.full_name],
    ["#national_id", person.national_id],
    ["#issued_on", person.issued_on],
    ["#phone", person.phone],
  ];
  for (const [field, value] of right) await page.fill(field, value);
  await page.fill("#full_name", "Tên Người Khác");
  await button(words.send).click();
  await page.locator("button[name=mine]").waitFor();
  await look("form-whose");
  await page.fill("#full_name", person.full_name);
  await page.locator("button[name=mine]").click();
  await page.locator(".govuk-panel--confirmation").waitFor();
  assert.match(await page.locator(".govuk-panel--confirmation").innerText(), /DH-\w{4}-\w{4}/);
  await look("standardised");
  await page.getByRole("link", { name: words.on, exact: true }).click();
  await page.locator(".timeline").waitFor();
  await look("home");
  await signOut();
  await page.goBack();
  assert.ok(!(await page.content()).includes(person.full_name), "nothing is left behind the back button");
  await page.goto(url);

  const later = waiting.at(-1);
  await signIn(later.username, `Hue-${later.account_id}`);
  await page.waitForURL("**/form");
  await button(words.later).click();
  await page.locator(".timeline").waitFor();
  await look("put-off");
  await signOut();

  for (const [username, password, clause] of [
    ["hues005", "Hue-HS005", "125/UBND"],
    ["canbo003", "Hue-CV003", "108/STTTT-CNTT"],
  ]) {
    await signIn(username, password);
    await page.waitForURL("**/held");
    assert.ok((await page.content()).includes(clause), `${username}: the clause is named`);
    await look(`held-${username}`);
    await signOut();
  }
  await context.close();
}

const { server, url } = await demo();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  for (const [device, viewport] of [
    ["phone", { width: 360, height: 740 }],
    ["desktop", { width: 1280, height: 900 }],
  ])
    for (const language of ["vi", "en"])
      for (const scripts of [true, false]) await walk(browser, url, { device, viewport, language, scripts });
} finally {
  await browser.close();
  server.kill();
}
console.log(`${looked} pages looked at`);
