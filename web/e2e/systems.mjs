// Two systems sign people in. A citizen meets the gate on the way to Hue-S, needs no second password for the other system, is held at
// the counter, and both are over at once; an official goes the same way, and signs out. And the provider's own pages on the way.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { addClient, freePort, start } from "../../relying-parties/start.mjs";
import { code, enrol, enter, hold, lift } from "./counter.mjs";
import { Visitor, ngomon, rows } from "./demo.mjs";

const registry = new Map(rows("registry").map((person) => [person.national_id, person]));
const sent = new Set(rows("submissions").map((form) => form.account_id));
// Whoever has not been standardised, and is nobody's in the other walks.
const citizen = rows("citizens").filter((account) => {
  const person = registry.get(account.national_id);
  return account.password_hash && !sent.has(account.account_id) && person?.status === "active" && person.full_name === account.display_name;
}).at(-2);
const official = rows("officials").find((account) => account.account_id === "CV001");

const WORDS = {
  vi: {
    enter: "Đăng nhập bằng tài khoản của tỉnh", again: "Đăng nhập lại", later: "Để sau", form: "Điền biểu mẫu", ended: "Phiên làm việc đã kết thúc",
    refresh: "Cập nhật thông tin", refreshed: "Đã cập nhật thông tin.", out: "Đăng xuất", signed_out: "Đã đăng xuất", allow: "Đồng ý", deny: "Không đồng ý",
  },
  en: {
    enter: "Sign in with the province's account", again: "Sign in again", later: "Later", form: "Fill in the form", ended: "Your session has ended",
    refresh: "Bring up to date", refreshed: "Your details are up to date.", out: "Sign out", signed_out: "Signed out", allow: "Allow", deny: "Do not allow",
  },
};

const VERIFIER = "a-verifier-of-the-walk-that-is-long-enough-for-pkce";
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");

let started;
const children = [];

/** Both systems and a third party that only takes down what it is sent, started once for all walks. */
async function systems(issuer) {
  const begin = async () => {
    const found = {};
    for (const id of ["hues", "documents"]) {
      found[id] = await start(id, { ngomon, issuer, port: await freePort() });
      children.push(found[id].child);
    }
    return { ...found, third: await thirdParty(issuer) };
  };
  started ??= begin();
  return started;
}

export function close() {
  for (const child of children) child.kill();
}

async function thirdParty(issuer) {
  const answers = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (request.url.startsWith("/callback"))
      answers.push(request.method === "POST" ? new URLSearchParams(body) : new URL(request.url, issuer).searchParams);
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end("<!doctype html><title>done</title>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  children.push({ kill: () => server.close().closeAllConnections() });
  const url = `http://127.0.0.1:${server.address().port}`;
  const options = ["--redirect-uri", `${url}/callback`, "--third-party", "--scope", "openid", "profile", "phone", "national_id"];
  return { answers, url, client: addClient(ngomon, "Ngân hàng Sông Hương", options) };
}

/** A logout token of everybody, right in all but its signature: it has none. */
function forged(iss, aud) {
  const now = Math.floor(Date.now() / 1000);
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const parts = [{ alg: "none", typ: "logout+jwt" }, { iss, aud, iat: now, exp: now + 60, jti: "forged", sub: "anybody", events }];
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.`;
}

/** A page comes to say that its session is over: by itself where scripts run, and else when it is asked for. */
async function isOver(visitor, page, words) {
  const heading = page.getByRole("heading", { level: 1, name: words.ended });
  if (!visitor.scripts) while ((await heading.count()) === 0) await page.reload();
  await heading.waitFor();
}

async function inLanguage(visitor, page) {
  if (visitor.language === "en") await page.getByRole("link", { name: "English" }).click();
}

export async function walk(how) {
  const { hues, documents, third } = await systems(how.url);
  const { browser, url, directory, device, viewport, language, scripts, name } = how;
  const words = WORDS[language];
  const person = { device, viewport, language, scripts };

  // The counter, in a browser of its own.
  const counter = new Visitor(browser, url, directory, person);
  await counter.arrive();
  const operator = `canh.${name}`;
  const { secret } = await enrol(counter, operator, false);
  await enter(counter, operator, code(secret, 1), false);

  // Under the pages' own policies: a form that leads on to a system must not be kept back by one.
  const visitor = new Visitor(browser, url, directory, { ...person, strict: true });
  const page = await visitor.arrive(hues.url);
  const asked = [];
  visitor.context.on("request", (request) => request.isNavigationRequest() && asked.push(request.url()));
  await visitor.look("hues-front");
  await page.getByRole("link", { name: words.enter }).click();
  await page.waitForURL("**/sign-in?to=*");
  await visitor.look("sign-in-from-a-system");
  await visitor.signIn(citizen.username, `Hue-${citizen.account_id}`);
  await page.waitForURL("**/form");
  await visitor.button(words.later).click();
  await page.waitForURL(`${hues.url}/`);
  const gate = page.locator("[data-gate=asked]");
  assert.equal(await gate.getByRole("link", { name: words.form }).getAttribute("href"), `${url}/form`);
  await visitor.look("hues-gate");

  // What only looks like the province's word ends nothing.
  for (const logout_token of ["", "a.b.c", forged(url, hues.client.id)]) {
    const refused = await visitor.context.request.post(`${hues.url}/back-channel-logout`, { form: { logout_token } });
    assert.equal(refused.status(), 400, name);
  }
  await page.reload();
  await gate.waitFor();

  asked.length = 0;
  const desk = await visitor.context.newPage();
  await desk.goto(documents.url);
  await inLanguage(visitor, desk);
  await visitor.look("documents-front", desk);
  await desk.getByRole("link", { name: words.enter }).click();
  await desk.waitForURL(`${documents.url}/`);
  await desk.locator("[data-claim=full_name]").filter({ hasText: citizen.display_name }).waitFor();
  assert.ok(asked.some((at) => at.startsWith(`${url}/authorize?`)), name);
  assert.ok(!asked.some((at) => at.startsWith(`${url}/sign-in`) || at.startsWith(`${url}/form`)), `${name}: neither password nor gate again`);
  await visitor.look("documents-citizen", desk);

  // Both wait before the operator clicks, so that what is printed is how long each took.
  const ended = async (tab) => {
    await isOver(visitor, tab, words);
    return performance.now();
  };
  const [clicked, ...over] = await Promise.all([hold(counter, citizen.account_id, `16/CQĐT-${name}`), ended(page), ended(desk)]);
  const [ofHues, ofDocuments] = over.map((at) => `${Math.round(at - clicked)} ms`);
  console.log(`${name}: signed out after the operator's click: Hue-S ${ofHues}, document management ${ofDocuments}`);
  await visitor.look("hues-ended");
  await visitor.look("documents-ended", desk);
  await desk.close();
  await page.getByRole("link", { name: words.again }).click();
  await page.waitForURL("**/sign-in?to=*");
  await visitor.signIn(citizen.username, `Hue-${citizen.account_id}`);
  await page.waitForURL("**/held");
  assert.ok((await page.locator("main").innerText()).includes(`16/CQĐT-${name}`), `${name}: the page tells why`);
  await visitor.look("held-from-a-system");

  // What held it is lifted: a new sign-in, and nothing of the old session.
  await lift(counter, citizen.account_id);
  await page.reload();
  await visitor.look("held-from-a-system-lifted");
  await visitor.signOut();
  await page.goto(hues.url);
  await page.getByRole("heading", { level: 1, name: words.ended }).waitFor();
  await page.getByRole("link", { name: words.again }).click();
  await visitor.signIn(citizen.username, `Hue-${citizen.account_id}`);
  await page.waitForURL("**/form");
  await visitor.button(words.later).click();
  await page.waitForURL(`${hues.url}/`);
  await gate.waitFor();

  // A third party: the owner is asked, says no, then yes; the answer comes by a form.
  const { answers, client } = third;
  const request = (otherwise = {}) => {
    const usual = { client_id: client.id, response_type: "code", scope: "openid profile phone national_id", redirect_uri: `${third.url}/callback` };
    const pkce = { code_challenge: CHALLENGE, code_challenge_method: "S256", state: name, prompt: "consent" };
    return `${url}/authorize?${new URLSearchParams({ ...usual, ...pkce, ...otherwise })}`;
  };
  await page.goto(request());
  await visitor.look("consent");
  await visitor.button(words.deny).click();
  await page.waitForURL(`${third.url}/callback?*`);
  assert.equal(answers.at(-1).get("error"), "access_denied");
  await page.goto(request({ response_mode: "form_post" }));
  await visitor.button(words.allow).click();
  if (!scripts) {
    await page.locator("form[data-send-at-once]").waitFor();
    await visitor.look("form-post");
    await page.locator("main button").click();
  }
  await page.waitForURL(`${third.url}/callback`);
  assert.deepEqual([answers.at(-1).get("state"), answers.at(-1).get("iss")], [name, url]);
  assert.ok(answers.at(-1).get("code"), name);
  await page.goto(url);
  await visitor.look("home-allowed");
  const takeBack = page.locator("form[action='/consents/withdraw'] button");
  await takeBack.click();
  await takeBack.waitFor({ state: "detached" });
  const before = answers.length;
  const wrong = await page.goto(request({ redirect_uri: `${third.url}/callback/` }));
  assert.equal(wrong.status(), 400);
  assert.equal(answers.length, before, "nothing is sent to a near miss");
  await visitor.look("wrong-redirect");

  // Anybody can make a link to the end of a session: the owner is asked.
  await page.goto(`${url}/end-session`);
  await visitor.look("end-session");
  await page.locator("main form button").click();
  await page.locator("h1").filter({ hasText: words.signed_out }).waitFor();
  await visitor.look("signed-out");
  await page.goto(hues.url);
  await isOver(visitor, page, words);

  // An official: unit and position; then Hue-S, without a gate; signing out of one is signing out of both.
  await page.goto(documents.url);
  await page.getByRole("link", { name: words.again }).click();
  await visitor.signIn(official.username, `Hue-${official.account_id}`);
  await page.waitForURL(`${documents.url}/`);
  await page.locator("[data-claim=unit]").waitFor();
  await page.locator("[data-claim=position]").waitFor();
  await visitor.look("documents-official");
  const app = await visitor.context.newPage();
  await app.goto(`${hues.url}/sign-in`);
  await app.waitForURL(`${hues.url}/`);
  assert.equal(await app.locator("[data-gate]").count(), 0, "letter 125 is not for an official's account");
  await visitor.look("hues-official", app);
  await visitor.button(words.refresh).click();
  await page.getByText(words.refreshed).waitFor();
  await visitor.look("documents-refreshed");
  await visitor.button(words.out).click();
  await page.waitForURL(`${documents.url}/signed-out`);
  await visitor.look("documents-signed-out");
  await isOver(visitor, app, words);
  await visitor.leave();
  await counter.leave();
}
