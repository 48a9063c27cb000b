"""A system that signs people in by Authlib (PyPI), as a process of its own. It says in JSON what it knows of whoever asks.

Settings come by the environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT.
"""

import json
import os
import secrets
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER, PORT = os.environ["ISSUER"], int(os.environ["PORT"])
BASE = f"http://127.0.0.1:{PORT}"
COOKIE = f"authlib-{PORT}"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

META = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
KEYS = KeySet.import_key_set(requests.get(META["jwks_uri"], timeout=10).json())

# By the value of the cookie: what is under way, and who is signed in.
pending, sessions = {}, {}


def client(token=None):
    return OAuth2Session(
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        scope="openid profile",
        redirect_uri=f"{BASE}/callback",
        code_challenge_method="S256",
        token=token,
    )


def verified(token, kind):
    """The claims of a token that the province signed for us."""
    read = jwt.decode(token, KEYS, algorithms=["RS256"])
    if read.header.get("typ", "JWT") != kind:
        raise ValueError("another kind of token")
    return read


def id_token(tokens, nonce):
    read = verified(tokens["id_token"], "JWT")
    options = {"iss": {"value": ISSUER}, "aud": {"value": os.environ["CLIENT_ID"]}}
    params = {"nonce": nonce, "client_id": os.environ["CLIENT_ID"], "access_token": tokens["access_token"]}
    claims = CodeIDToken(read.claims, read.header, options, params)
    claims.validate(leeway=60)
    return claims


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        at = urlsplit(self.path)
        act = {
            "/sign-in": self.sign_in,
            "/callback": self.callback,
            "/session": self.session,
            "/refresh": self.refresh,
            "/sign-out": self.sign_out,
            "/signed-out": lambda: self.say({"signed_out": True}),
        }.get(at.path)
        act() if act else self.say({"error": "no such page"}, 404)

    def sign_in(self):
        verifier, nonce, browser = generate_token(48), generate_token(20), secrets.token_urlsafe(32)
        to, state = client().create_authorization_url(META["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
        pending[browser] = (state, verifier, nonce)
        self.go(to, browser)

    def callback(self):
        state, verifier, nonce = pending.pop(self.cookie())
        query = parse_qs(urlsplit(self.path).query)
        if query["iss"] != [ISSUER]:
            raise ValueError("an answer of somebody else")
        session = client()
        tokens = session.fetch_token(
            META["token_endpoint"], authorization_response=BASE + self.path, state=state, code_verifier=verifier
        )
        claims = id_token(tokens, nonce)
        told = session.get(META["userinfo_endpoint"])
        told.raise_for_status()
        if told.json()["sub"] != claims["sub"]:
            raise ValueError("userinfo is somebody else's")
        key = secrets.token_urlsafe(32)
        sessions[key] = {"tokens": dict(tokens), "sub": claims["sub"], "sid": claims["sid"], "told": told.json()}
        self.go("/session", key)

    def session(self):
        """What we know by ourselves: the province is not asked."""
        known = sessions.get(self.cookie())
        self.say({"name": known["told"]["name"], "access": known["tokens"]["access_token"]} if known else {"name": None})

    def refresh(self):
        known = sessions[self.cookie()]
        session = client(known["tokens"])
        try:
            tokens = session.refresh_token(META["token_endpoint"], refresh_token=known["tokens"]["refresh_token"])
        except OAuthError as error:
            del sessions[self.cookie()]
            return self.say({"error": error.error})
        known["tokens"] = dict(tokens)
        told = session.get(META["userinfo_endpoint"])
        told.raise_for_status()
        self.session()

    def sign_out(self):
        known = sessions.pop(self.cookie())
        query = {"id_token_hint": known["tokens"]["id_token"], "post_logout_redirect_uri": f"{BASE}/signed-out"}
        self.go(f"{META['end_session_endpoint']}?{urlencode(query)}")

    def do_POST(self):
        if self.path != "/back-channel-logout":
            return self.say({"error": "no such page"}, 404)
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        claims = verified(parse_qs(body)["logout_token"][0], "logout+jwt").claims
        ours = claims["iss"] == ISSUER and claims["aud"] == os.environ["CLIENT_ID"]
        if not ours or EVENT not in claims["events"] or "nonce" in claims:
            return self.say({"error": "invalid_request"}, 400)
        for key, known in list(sessions.items()):
            if all(claims.get(name, known[name]) == known[name] for name in ("sub", "sid")):
                del sessions[key]
        self.say({})

    def cookie(self):
        found = SimpleCookie(self.headers.get("cookie", "")).get(COOKIE)
        return found.value if found else None

    def go(self, to, cookie=None):
        self.send_response(303)
        self.send_header("location", to)
        if cookie:
            self.send_header("set-cookie", f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax")
        self.end_headers()

    def say(self, what, status=200):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Only faults are worth a line."""


server = ThreadingHTTPServer(("127.0.0.1", PORT), Answer)
print(f"authlib: {BASE}", flush=True)
server.serve_forever()
