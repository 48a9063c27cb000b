// What `logout-token.mjs` takes and what it refuses. `cargo xtask systems` runs it; by itself: node logout-token.test.mjs

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { taker } from "./logout-token.mjs";

const [ISSUER, AUDIENCE] = ["https://id.example", "hues"];
const EVENTS = { "http://schemas.openid.net/event/backchannel-logout": {} };
const keys = {};
let published;
let last = 0;

before(async () => {
  for (const alg of ["RS256", "ES256", "EdDSA"]) keys[alg] = await generateKeyPair(alg);
  const jwks = { keys: [] };
  for (const [alg, { publicKey }] of Object.entries(keys)) jwks.keys.push({ ...(await exportJWK(publicKey)), kid: alg, alg });
  published = createServer((_, answer) => answer.setHeader("content-type", "application/json").end(JSON.stringify(jwks)));
  await new Promise((listens) => published.listen(0, "127.0.0.1", listens));
});
after(() => published.close());

const token = (alg, otherwise = {}, header = {}) =>
  new SignJWT({ sub: "s", sid: "1", jti: `${++last}`, events: EVENTS, ...otherwise })
    .setProtectedHeader({ alg, kid: alg, typ: "logout+jwt", ...header })
    .setIssuer(ISSUER).setAudience(AUDIENCE).setIssuedAt().setExpirationTime("2m").sign(keys[alg].privateKey);

const takes = (algorithm) =>
  taker({ issuer: ISSUER, jwks_uri: `http://127.0.0.1:${published.address().port}/` }, AUDIENCE, algorithm);

test("a token is taken once, signed as the client's ID tokens are", async () => {
  for (const own of Object.keys(keys)) {
    for (const alg of Object.keys(keys)) {
      const sent = await token(alg);
      if (alg === own) {
        const take = takes(own);
        assert.deepEqual(await take(sent), { sub: "s", sid: "1" });
        await assert.rejects(take(sent), /taken before/);
      } else {
        await assert.rejects(takes(own)(sent), { code: "ERR_JOSE_ALG_NOT_ALLOWED" }, `${alg} for ${own}`);
      }
    }
  }
});

test("it need not name its type, but may name no other", async () => {
  const take = takes("RS256");
  await take(await token("RS256", {}, { typ: undefined }));
  await take(await token("RS256", {}, { typ: "Logout+JWT" }));
  await assert.rejects(take(await token("RS256", {}, { typ: "JWT" })), /another token/);
});

test("what is no logout token is refused", async () => {
  const take = takes("RS256");
  await assert.rejects(take(await token("RS256", { nonce: "n" })), /nonce/);
  await assert.rejects(take(await token("RS256", { events: { other: {} } })), /something else/);
  await assert.rejects(take(await token("RS256", { sub: undefined, sid: undefined })), /no session/);
  await take(await token("RS256", { sub: undefined }));
});
