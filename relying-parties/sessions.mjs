// Who is signed in at a system, in memory: a system that starts anew asks its people to sign in again, which costs them no password.

import { randomBytes } from "node:crypto";

const MOST_REMEMBERED = 1_000;

/** What an open page is told (server-sent events). */
export const ENDED = "event: ended\ndata: 1\n\n";

/** A name that cannot be guessed. */
export const secret = () => randomBytes(32).toString("base64url");

export class Sessions {
  #open = new Map();
  /** Keys of sessions that ended otherwise than by their owner here: their browsers are told so. */
  #ended = new Set();
  /** What logout tokens named, and when they came. */
  #told = new Map();

  /** A session of what was proven, unless a logout token overtook it: then null. `since`: when the proof was asked for. */
  open(session, since) {
    const overtaken = ["sub", "sid"].some((name) => this.#told.get(`${name} ${session[name]}`) >= since);
    if (overtaken) return null;
    const key = secret();
    this.#open.set(key, Object.assign(session, { key, watchers: new Set() }));
    return key;
  }

  get(key) {
    return this.#open.get(key);
  }

  /** Did it end without its owner's doing here? */
  hasEnded(key) {
    return this.#ended.has(key);
  }

  /** Its owner signs out here, or comes with another. The page that asks for it is on its way elsewhere and must not be read anew; other
   * open pages learn it when they take up their stream again. */
  close(session) {
    this.#open.delete(session.key);
    for (const watcher of session.watchers) watcher.end();
  }

  /** It is over elsewhere: its open pages are told at once. */
  end(session) {
    this.#open.delete(session.key);
    remember(this.#ended, session.key);
    for (const watcher of session.watchers) watcher.end(ENDED);
  }

  /** A logout token: one session where it names one, else all of the account. */
  endNamed({ sub, sid }) {
    const name = sid ? `sid ${sid}` : `sub ${sub}`;
    this.#told.delete(name);
    this.#told.set(name, Date.now());
    if (this.#told.size > MOST_REMEMBERED) this.#told.delete(this.#told.keys().next().value);
    for (const session of [...this.#open.values()])
      if ((!sid || session.sid === sid) && (!sub || session.sub === sub)) this.end(session);
  }
}

function remember(set, key) {
  set.add(key);
  if (set.size > MOST_REMEMBERED) set.delete(set.values().next().value);
}
