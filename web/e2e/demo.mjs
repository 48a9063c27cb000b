// The demo's server, and somebody at a browser in front of it.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";

const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** The rows of one of the demo's files. */
export const rows = (name) => {
  const text = readFileSync(new URL(`../../fixtures/demo/${name}.csv`, import.meta.url), "utf8");
  const [head, ...lines] = text.trim().split("\n").map((line) => line.split(","));
  return lines.map((line) => Object.fromEntries(head.map((column, at) => [column, line[at]])));
};

let typed;

/** A command typed beside the demo's server; what it prints. */
export const ngomon = (...words) => typed(words);

/** Plays the demo in an empty directory; answers once its pages are open. */
export async function demo(ngomon, directory) {
  const data = ["--data", `${directory}/data`];
  typed = (words) => execFileSync(ngomon, [...words, ...data], { encoding: "utf8" });
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const server = spawn(ngomon, ["demo", "--listen", "127.0.0.1:0", ...data], {
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

/** How many pages were looked at. */
export const pages = () => looked;

const LABELS = { vi: { out: "Đăng xuất", enter: "Đăng nhập" }, en: { out: "Sign out", enter: "Sign in" } };

/** Somebody with a device, a language, and scripts or none. `strict`: the pages' policies are in force, as for everybody. */
export class Visitor {
  constructor(browser, url, directory, how) {
    Object.assign(this, { browser, url, directory, ...how });
    this.name = [how.device, how.language, how.scripts ? "scripts" : "plain"].join("-");
  }

  /** Opens a browser of its own at the first page, or at that of a connected system. */
  async arrive(at = this.url) {
    const { viewport, scripts } = this;
    this.context = await this.browser.newContext({ viewport, javaScriptEnabled: scripts, bypassCSP: !this.strict });
    this.page = await this.context.newPage();
    await this.page.goto(at);
    if (this.language === "en") await this.page.getByRole("link", { name: "English" }).click();
    return this.page;
  }

  async leave() {
    await this.context.close();
  }

  button(label) {
    return this.page.getByRole("button", { name: label, exact: true });
  }

  async signIn(username, password) {
    await this.page.fill("#username", username);
    await this.page.fill("#password", password);
    await this.button(LABELS[this.language].enter).click();
  }

  async signOut() {
    await this.button(LABELS[this.language].out).click();
    await this.page.waitForURL("**/sign-in?why=out");
  }

  /** The one-time code that was sent last: the sandbox shows it. */
  async code() {
    const answer = await this.context.request.get(`${this.url}/sandbox`);
    return (await answer.text()).match(/\b\d{6}\b/)[0];
  }

  /** Takes a picture of the page as it is, and lets axe look at it. */
  async look(state, page = this.page) {
    const { name } = this;
    looked += 1;
    assert.equal(await page.locator("html").getAttribute("lang"), this.language, `${name} ${state}`);
    assert.equal(await page.locator("h1").count(), 1, `${name} ${state}: one heading`);
    await page.screenshot({ path: `${this.directory}/${name}-${state}.png`, fullPage: true });
    if (!this.scripts) return;
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name} ${state}: ${wide} pixels too wide`);
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run());
    const faults = found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(faults, [], `${name} ${state}`);
    if (this.device === "desktop" && this.language === "vi") await this.print(state, page);
  }

  /** The page as it comes out on A4: nothing is cut off, and no address is spelled after its link. */
  async print(state, page) {
    const { viewport, name } = this;
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 720, height: 1018 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const spelled = await page.evaluate(() =>
      [...document.querySelectorAll("a")].map((link) => getComputedStyle(link, "::after").content).filter((text) => text.includes("http") || text.includes("/")),
    );
    await page.screenshot({ path: `${this.directory}/${name}-${state}-print.png`, fullPage: true });
    await page.emulateMedia({ media: "screen" });
    await page.setViewportSize(viewport);
    assert.ok(wide <= 0, `${name} ${state}: ${wide} pixels too wide for paper`);
    assert.deepEqual(spelled, [], `${name} ${state}: addresses on paper`);
  }
}
