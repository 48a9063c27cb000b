// Three foreign libraries sign people in against the real server, each as a process of its own: openid-client (npm), Authlib (PyPI),
// mod_auth_openidc (Debian). Each twice: once told of sessions that end (Back-Channel Logout), and once deaf, so that it learns of a
// hold at its next refresh. Usage: node interop.mjs NGOMON PYTHON DIRECTORY

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "../web/node_modules/playwright-core/index.mjs";
import { addClient, freePort, start } from "../relying-parties/start.mjs";
import { code, enrol, enter, hold, lift } from "../web/e2e/counter.mjs";
import { Visitor, demo, ngomon } from "../web/e2e/demo.mjs";
import { apache } from "./apache.mjs";

const [program, python, directory] = process.argv.slice(2);
const OFFICIAL = { account: "CV001", username: "canbo001", password: "Hue-CV001", name: "Ngô Thanh Hà" };
const stops = [];

/** Asks until the answer is right, and gives the moment. Whoever waits for what never comes is stopped by the deadline, and says for what. */
async function until(what, isSo) {
  const deadline = Date.now() + 30_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `never: ${what}`);
    await setTimeout(50);
  }
  return performance.now();
}

const text = async (page, selector) => (await page.locator(selector).innerText()).trim();
const json = async (page, url) => {
  const answer = await page.context().request.get(url);
  return answer.ok() ? answer.json() : {};
};

// What each system can be asked, in its own way. `who`: the name that it was told, or nothing, by what it knows itself; `access`: what
// changes with a refresh; `refresh`: whether it could.
async function openidClient(issuer, deaf) {
  const system = await start(deaf ? "documents" : "hues", { ngomon, issuer, port: await freePort(), deaf });
  stops.push(() => system.child.kill());
  const { url } = system;
  return {
    name: "openid-client", deaf, enter: `${url}/sign-in`, inside: `${url}/`, outside: `${url}/signed-out`,
    // Its page that is open, not a new one: that would ask the province.
    who: async (page) => {
      const main = await text(page, "main");
      return main.includes(OFFICIAL.name) ? OFFICIAL.name : null;
    },
    refresh: async (page) => {
      // From the page as it is: a new one would ask who it is, with the old token.
      const led = page.waitForEvent("framenavigated");
      await page.locator("form[action='/refresh'] button").click();
      await led;
      // A click on a page that is still coming in may be lost.
      await page.waitForLoadState();
      return new URL(page.url()).searchParams.has("refreshed");
    },
    signOut: (page) => page.locator("form[action='/sign-out'] button").click(),
  };
}

async function authlib(issuer, deaf) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const told = deaf ? [] : ["--backchannel-logout-uri", `${url}/back-channel-logout`];
  const uris = ["--redirect-uri", `${url}/callback`, "--post-logout-redirect-uri", `${url}/signed-out`];
  const client = addClient(ngomon, `Authlib ${port}`, [...uris, ...told]);
  const child = spawn(python, [fileURLToPath(new URL("authlib_system.py", import.meta.url))], {
    env: { ...process.env, ISSUER: issuer, CLIENT_ID: client.id, CLIENT_SECRET: client.secret, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  stops.push(() => child.kill());
  await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const session = (page) => json(page, `${url}/session`);
  return {
    name: "Authlib", deaf, enter: `${url}/sign-in`, inside: `${url}/session`, outside: `${url}/signed-out`,
    who: async (page) => (await session(page)).name,
    refresh: async (page) => {
      const before = (await session(page)).access;
      const { access, error } = await json(page, `${url}/refresh`);
      assert.ok(access || error === "invalid_grant", `${error}`);
      return Boolean(access) && access !== before;
    },
    signOut: (page) => page.goto(`${url}/sign-out`),
  };
}

async function modAuthOpenidc(issuer) {
  const sites = [];
  for (const deaf of [false, true]) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const told = deaf ? [] : ["--backchannel-logout-uri", `${url}/callback?logout=backchannel`];
    const uris = ["--redirect-uri", `${url}/callback`, "--post-logout-redirect-uri", `${url}/out/`];
    const client = addClient(ngomon, `Apache ${port}`, [...uris, ...told]);
    sites.push({ name: deaf ? "apache_deaf" : "apache_told", deaf, url, port, client, refreshes: deaf });
  }
  const { stop, log } = await apache(issuer, sites);
  stops.push(stop);
  return sites.map(({ url, deaf }) => {
    let access;
    // What a page behind it is told: by userinfo, for the ID token has no user name. Without a session it leads to the province.
    const who = async (page) => {
      const answer = await page.goto(`${url}/`);
      const told = answer.headers();
      access = told["x-access"];
      return told["x-username"] === OFFICIAL.username ? OFFICIAL.name : null;
    };
    return {
      name: "mod_auth_openidc", deaf, log, who, enter: `${url}/`, inside: `${url}/`, outside: `${url}/out/`,
      // The deaf one renews at each request, and ends its session where it cannot; the other one when it is told to.
      renews: deaf,
      refresh: async (page) => {
        const before = access;
        if (!deaf) await page.goto(`${url}/callback?${new URLSearchParams({ refresh: `${url}/out/`, access_token: before })}`);
        await who(page);
        return Boolean(access) && access !== before;
      },
      signOut: (page) => page.goto(`${url}/callback?logout=${encodeURIComponent(`${url}/out/`)}`),
    };
  });
}

const systems = [];
const { server, url } = await demo(program, directory);
stops.push(() => server.kill());
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
stops.push(() => browser.close());
try {
  const person = { device: "desktop", viewport: { width: 1280, height: 900 }, language: "vi", scripts: true, strict: true };
  const counter = new Visitor(browser, url, directory, person);
  await counter.arrive();
  const { secret } = await enrol(counter, "lan", false);
  await enter(counter, "lan", code(secret, 1), false);
  const visitor = new Visitor(browser, url, directory, person);
  await visitor.arrive();
  for (const deaf of [false, true]) systems.push(await openidClient(url, deaf), await authlib(url, deaf));
  systems.push(...(await modAuthOpenidc(url)));

  /** Opens the system in a tab of its own. `byPassword`: the province must ask for it, or must not. */
  const signIn = async (system, byPassword) => {
    const page = await visitor.context.newPage();
    await page.goto(system.enter);
    if (byPassword) {
      assert.ok(page.url().startsWith(`${url}/sign-in`), `${system.name}: ${page.url()}`);
      visitor.page = page;
      await visitor.signIn(OFFICIAL.username, OFFICIAL.password);
    }
    await page.waitForURL(system.inside);
    assert.equal(await system.who(page), OFFICIAL.name, `${system.name}: userinfo`);
    return page;
  };

  for (const system of systems) {
    const page = await signIn(system, true);
    assert.ok(await system.refresh(page), `${system.name}: refreshes`);
    assert.ok(await system.refresh(page), `${system.name}: refreshes with what the refresh gave`);
    await system.signOut(page);
    await page.waitForURL(system.outside);
    await page.close();
    console.log(`${system.name}${system.deaf ? ", deaf" : ""}: signs in, asks, refreshes, signs out`);
  }

  const pages = [];
  for (const system of systems) pages.push(await signIn(system, pages.length === 0));
  const ends = (system, page) => until(`${system.name} ends its session\n${system.log?.() ?? ""}`, async () => !(await system.who(page)));
  // Those that are told wait before the operator clicks, so that what is printed is how long each took.
  const told = [...systems.entries()].filter(([, system]) => !system.deaf);
  const [clicked, ...ended] = await Promise.all([
    hold(counter, OFFICIAL.account, "17/CQĐT"),
    ...told.map(([at, system]) => ends(system, pages[at])),
  ]);
  for (const [of, [, system]] of told.entries())
    console.log(`${system.name}: its session ended with the hold, ${Math.round(ended[of] - clicked)} ms after the operator's click`);
  for (const [at, system] of systems.entries()) {
    const page = pages[at];
    if (system.deaf) {
      if (!system.renews) assert.equal(await system.who(page), OFFICIAL.name, `${system.name}: nobody told it`);
      assert.ok(!(await system.refresh(page)), `${system.name}: its refresh fails`);
      await ends(system, page);
      console.log(`${system.name}, deaf: its refresh fails, and its session ended with the hold`);
    }
    await page.goto(system.enter);
    assert.ok(page.url().startsWith(`${url}/sign-in`), `${system.name}: ${page.url()}`);
  }
  visitor.page = pages[0];
  await visitor.signIn(OFFICIAL.username, OFFICIAL.password);
  await pages[0].waitForURL(`${url}/held`);

  await lift(counter, OFFICIAL.account);
  await visitor.signOut();
  for (const [at, system] of systems.entries()) assert.ok(!(await system.who(pages[at])), `${system.name}: nothing comes back`);
  for (const [at, system] of systems.entries()) await signIn(system, at === 0);
  console.log("and after the hold all of them sign in anew");
} catch (error) {
  for (const { log } of systems) if (log) console.log(log());
  throw error;
} finally {
  for (const stop of stops.reverse()) await stop();
}
