// A logout token (OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6): the province's word that sessions are over. Anybody can send
// us something that looks like one, so everything in it is checked, and each is taken once.

import { createRemoteJWKSet, jwtVerify } from "jose";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
const MOST_SECONDS_OF_SKEW = 60;

/** What takes logout tokens for that client, signed as its ID tokens are; answers with their `sub` and `sid`, or throws. */
export function taker({ issuer, jwks_uri }, audience, algorithm = "RS256") {
  const keys = createRemoteJWKSet(new URL(jwks_uri));
  // By `jti`, until when it could be sent again.
  const taken = new Map();
  return async (token) => {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [algorithm],
      requiredClaims: ["iat", "exp", "jti", "events"],
      clockTolerance: MOST_SECONDS_OF_SKEW,
    });
    // A provider need not name the type, but may name no other.
    if ((protectedHeader.typ ?? "logout+jwt").toLowerCase() !== "logout+jwt") throw new Error("it is another token");
    const { sub, sid, jti, exp, events } = payload;
    const event = events?.[EVENT];
    if (typeof event !== "object" || event === null) throw new Error("it is about something else");
    // An ID token has a nonce: so it can never pass for a logout token.
    if ("nonce" in payload) throw new Error("a logout token has no nonce");
    if (typeof (sub ?? sid) !== "string") throw new Error("it names no session");
    const now = Date.now() / 1000;
    for (const [old, until] of taken) if (until < now) taken.delete(old);
    if (taken.has(jti)) throw new Error("it was taken before");
    taken.set(jti, exp + MOST_SECONDS_OF_SKEW);
    return { sub, sid };
  };
}
