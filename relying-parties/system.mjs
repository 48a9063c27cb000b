// What both systems are: a web server that signs people in through the province (authorization code with PKCE, by openid-client),
// asks who they are at each page, and ends their sessions as soon as the province says so.
//
// Settings come by the environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT. The system's address is http://127.0.0.1:PORT: another
// host than the province's `localhost`, so that neither sees the other's cookies.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import * as openid from "openid-client";
import { endWithParent } from "./start.mjs";
import { taker } from "./logout-token.mjs";
import { LANGUAGES, html, page, wordsOf } from "./page.mjs";
import { ENDED, Sessions, secret } from "./sessions.mjs";

const ISSUER = process.env.ISSUER ?? "http://localhost:8080";
const PORT = Number(process.env.PORT ?? 8081);
const HOST = `127.0.0.1:${PORT}`;
const BASE = `http://${HOST}`;
const LARGEST_BODY = 64 * 1024;
const SIGN_IN_TAKES = 15 * 60_000;
const MOST_PENDING = 1_000;
/** An access token is renewed when it is good for less than this. */
const SOON = 30_000;

const FILES = {
  "/style.css": ["text/css", readFileSync(new URL("style.css", import.meta.url))],
  "/live.js": ["text/javascript", readFileSync(new URL("live.js", import.meta.url))],
};

/** Starts a system: its `id` (names cookies and look), the `scope` it asks for, its `words`, and what its `home` shows. */
export function serve(system) {
  const sessions = new Sessions();
  /** Sign-ins under way, by their `state`. */
  const pending = new Map();
  const cookies = { session: `${system.id}-session`, browser: `${system.id}-browser`, language: `${system.id}-language` };

  // Read when it is first needed and kept once it was: the province may start later than we do.
  let found;
  const provider = () => {
    found ??= discover().catch((error) => {
      found = undefined;
      throw error;
    });
    return found;
  };

  /** Brings a browser to the province's sign-in. */
  async function begin(asker) {
    const { config } = await provider();
    const verifier = openid.randomPKCECodeVerifier();
    const [state, nonce, browser] = [openid.randomState(), openid.randomNonce(), asker.cookie(cookies.browser) ?? secret()];
    pending.set(state, { verifier, nonce, browser, began: Date.now() });
    if (pending.size > MOST_PENDING) pending.delete(pending.keys().next().value);
    const to = openid.buildAuthorizationUrl(config, {
      redirect_uri: `${BASE}/callback`,
      scope: system.scope,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      ui_locales: asker.language,
    });
    asker.keep(cookies.browser, browser);
    asker.go(to.href);
  }

  /** The browser is back with a code, or with what was wrong. */
  async function callback(asker) {
    const { config } = await provider();
    const state = asker.url.searchParams.get("state");
    const flow = pending.get(state);
    pending.delete(state);
    // Another browser's answer is nobody's here: else a stranger could sign people in as somebody else.
    const ours = flow && flow.browser === asker.cookie(cookies.browser) && Date.now() - flow.began < SIGN_IN_TAKES;
    if (!ours) return asker.say(400, asker.words.refused, asker.words.stale_text);
    const since = Date.now();
    let session;
    try {
      const tokens = await openid.authorizationCodeGrant(config, asker.url, {
        pkceCodeVerifier: flow.verifier,
        expectedState: state,
        expectedNonce: flow.nonce,
        idTokenExpected: true,
      });
      const { sub, sid } = tokens.claims();
      session = { sub, sid, ...kept(tokens) };
      session.claims = await openid.fetchUserInfo(config, session.access, sub);
    } catch (error) {
      if (!isNo(error)) throw error;
      return asker.say(403, asker.words.refused, asker.words.refused_text);
    }
    const before = sessions.get(asker.cookie(cookies.session));
    if (before) sessions.close(before);
    const key = sessions.open(session, since);
    if (!key) return asker.say(403, asker.words.refused, asker.words.refused_text);
    asker.keep(cookies.session, key);
    asker.go("/");
  }

  /** New tokens. One at a time for each session: a refresh token is good once, and two that use it at once would end everything. */
  function renew(session) {
    session.renewing ??= (async () => {
      const { config } = await provider();
      const tokens = await openid.refreshTokenGrant(config, session.refresh);
      Object.assign(session, kept(tokens, session));
    })().finally(() => {
      session.renewing = undefined;
    });
    return session.renewing;
  }

  /** Who it is now. False: the province says that the session is over, and so it is. */
  async function isStill(session, anew) {
    try {
      if (anew || session.until - Date.now() < SOON) await renew(session);
      const { config } = await provider();
      session.claims = await openid.fetchUserInfo(config, session.access, session.sub);
      return true;
    } catch (error) {
      if (!isNo(error)) throw error;
      sessions.end(session);
      return false;
    }
  }

  async function home(asker) {
    const { words } = asker;
    const key = asker.cookie(cookies.session);
    const session = sessions.get(key);
    if (session && (await isStill(session, false))) return shown(asker, session, asker.url.searchParams.has("refreshed"));
    if (session || sessions.hasEnded(key)) return asker.say(200, words.ended, words.ended_text, words.again);
    const content = html`<p class="lead">${words.lead}</p><p><a class="button" href="/sign-in">${words.enter}</a></p>`;
    asker.page(200, { title: words.front, content });
  }

  function shown(asker, session, refreshed) {
    const { words } = asker;
    const { title, content } = system.home({ claims: session.claims, words });
    const own = html`${refreshed && html`<p class="notice" role="status">${words.refreshed}</p>`}${content}
<div class="acts"><form method="post" action="/refresh"><button class="button quiet">${words.refresh}</button></form>
<form method="post" action="/sign-out"><button class="button quiet">${words.out}</button></form></div>`;
    asker.page(200, { title, content: own, live: true });
  }

  async function refresh(asker) {
    const session = sessions.get(asker.cookie(cookies.session));
    const refreshed = session && (await isStill(session, true));
    asker.go(refreshed ? "/?refreshed" : "/");
  }

  /** Here at once, and then at the province, which tells the other systems. */
  async function signOut(asker) {
    const session = sessions.get(asker.cookie(cookies.session));
    asker.forget(cookies.session);
    if (!session) return asker.go("/");
    sessions.close(session);
    const { config } = await provider();
    const to = openid.buildEndSessionUrl(config, {
      id_token_hint: session.idToken,
      post_logout_redirect_uri: `${BASE}/signed-out`,
      ui_locales: asker.language,
    });
    asker.go(to.href);
  }

  /** The province itself calls: no browser, no cookie. */
  async function backChannel(asker) {
    const { taken } = await provider();
    const token = new URLSearchParams(await asker.body()).get("logout_token");
    try {
      sessions.endNamed(await taken(token ?? ""));
      asker.answer(200, "text/plain", "");
    } catch (error) {
      asker.answer(400, "application/json", JSON.stringify({ error: "invalid_request", error_description: error.message }));
    }
  }

  /** A stream that says nothing until the session is over. */
  function live(asker) {
    const session = sessions.get(asker.cookie(cookies.session));
    asker.response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    if (!session) return asker.response.end(ENDED);
    asker.response.write(": open\n\n");
    session.watchers.add(asker.response);
    asker.response.on("close", () => session.watchers.delete(asker.response));
  }

  const routes = {
    "GET /": home,
    "GET /sign-in": begin,
    "GET /callback": callback,
    "GET /live": live,
    "GET /signed-out": (asker) => asker.say(200, asker.words.signed_out, asker.words.signed_out_text, asker.words.enter),
    "POST /refresh": refresh,
    "POST /sign-out": signOut,
    "POST /back-channel-logout": backChannel,
  };
  for (const tag of LANGUAGES)
    routes[`GET /language/${tag}`] = (asker) => {
      asker.keep(cookies.language, tag);
      asker.go("/");
    };

  async function answered(request, response) {
    const asker = new Asker(system, cookies, request, response);
    const { pathname } = asker.url;
    const { words } = asker;
    try {
      // Under another name of this machine it would give its cookies there, and the province would answer here.
      if (request.method === "GET" && request.headers.host !== HOST) return asker.go(`${BASE}${request.url}`);
      if (FILES[pathname] && request.method === "GET") return asker.answer(200, ...FILES[pathname]);
      const route = Object.hasOwn(routes, `${request.method} ${pathname}`) && routes[`${request.method} ${pathname}`];
      if (!route) return asker.say(404, words.missing, words.missing_text, words.home, "/");
      // A form of another site does not act here. The province sends none, and no browser's origin.
      const { origin } = request.headers;
      if (request.method === "POST" && origin && origin !== BASE) return asker.say(403, words.refused, words.stale_text);
      await route(asker);
    } catch (error) {
      console.error(`${system.id}: ${error.message} ${error.cause?.message ?? ""}`);
      if (response.headersSent) return response.destroy();
      asker.say(502, words.away, words.away_text, words.home, "/");
    }
  }

  const server = createServer(answered);
  server.listen(PORT, "127.0.0.1", () => console.log(`${system.id}: ${BASE}`));
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
  endWithParent();
}

async function discover() {
  // Over plain HTTP on this very machine only; anywhere else openid-client insists on TLS.
  const local = new URL(ISSUER).hostname === "localhost" ? { execute: [openid.allowInsecureRequests] } : {};
  const { CLIENT_ID, CLIENT_SECRET } = process.env;
  const config = await openid.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, local);
  return { config, taken: taker(config.serverMetadata(), CLIENT_ID) };
}

/** What is kept of an answer with tokens; what it does not have stays as it was. */
function kept(tokens, before = {}) {
  return {
    access: tokens.access_token,
    refresh: tokens.refresh_token ?? before.refresh,
    idToken: tokens.id_token ?? before.idToken,
    until: Date.now() + tokens.expires_in * 1000,
  };
}

/** The province said no. Whatever else went wrong (nobody answered, a fault of its own) ends no session. */
function isNo(error) {
  const kinds = [openid.AuthorizationResponseError, openid.ResponseBodyError, openid.WWWAuthenticateChallengeError];
  return kinds.some((kind) => error instanceof kind) && !(error.status >= 500);
}

/** A request and its answer. */
class Asker {
  #set = [];

  constructor(system, cookies, request, response) {
    Object.assign(this, { system, request, response });
    this.url = new URL(request.url, BASE);
    const pairs = (request.headers.cookie ?? "").split(/; */).map((pair) => pair.split("="));
    this.cookies = new Map(pairs.filter(([, value]) => value));
    const chosen = this.cookie(cookies.language);
    this.language = LANGUAGES.includes(chosen) ? chosen : LANGUAGES[0];
    this.words = wordsOf(system, this.language);
  }

  cookie(name) {
    return this.cookies.get(name);
  }

  // Lax: the browser brings it along when the province sends it back here.
  keep(name, value) {
    this.#set.push(`${name}=${value}; Path=/; HttpOnly; SameSite=Lax`);
  }

  forget(name) {
    this.#set.push(`${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`);
  }

  async body() {
    const parts = [];
    let length = 0;
    for await (const part of this.request) {
      length += part.length;
      if (length > LARGEST_BODY) throw new Error("the body is too large");
      parts.push(part);
    }
    return Buffer.concat(parts).toString("utf8");
  }

  go(to) {
    this.response.setHeader("location", to);
    this.answer(303, "text/plain", "");
  }

  answer(status, kind, body) {
    this.response.writeHead(status, {
      "content-type": `${kind}; charset=utf-8`,
      "cache-control": "no-store",
      // Signing out is a form that leads on to the province.
      "content-security-policy": `default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self' ${new URL(ISSUER).origin}; base-uri 'none'; frame-ancestors 'none'`,
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      ...(this.#set.length > 0 && { "set-cookie": this.#set }),
    });
    this.response.end(body);
  }

  page(status, parts) {
    const { system, language, words } = this;
    this.answer(status, "text/html", page(system, { language, words, ...parts }));
  }

  /** A message, and one thing to do about it. */
  say(status, title, text, label = this.words.again, to = "/sign-in") {
    const content = html`<p class="lead">${text}</p><p><a class="button" href="${to}">${label}</a></p>`;
    this.page(status, { title, content });
  }
}
