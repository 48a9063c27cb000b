// Starts the two systems: for the demo, and for the tests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SYSTEMS = {
  hues: { name: "Hue-S", scope: ["openid", "profile", "standardisation"] },
  documents: { name: "Quản lý văn bản", scope: ["openid", "profile", "employment"] },
};

/** Adds a client by the command, as an integrator's administrator does; its id and secret. `ngomon`: runs the command, gives its output. */
export function addClient(ngomon, name, options) {
  const said = ngomon("client", "add", name, ...options);
  const [, id, secret] = said.match(/client_id: (\S+)\s+client_secret: (\S+)/);
  return { id, secret };
}

/** A port that nobody listens on: the one that is wished for, or else another. */
export async function freePort(wished = 0) {
  const server = createServer().listen(wished, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (wished === 0 || error.code !== "EADDRINUSE") throw error;
    return freePort();
  }
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Ends this process once whoever started it is gone, however that ended. */
export function endWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 200).unref();
}

/** Starts a system at that port, and answers once its pages are open. `deaf`: nobody tells it of sessions that end. */
export async function start(id, { ngomon, issuer, port, deaf = false }) {
  const { name, scope } = SYSTEMS[id];
  const url = `http://127.0.0.1:${port}`;
  const client = addClient(ngomon, deaf ? `${name} (${port})` : name, [
    ...["--redirect-uri", `${url}/callback`, "--post-logout-redirect-uri", `${url}/signed-out`],
    ...(deaf ? [] : ["--backchannel-logout-uri", `${url}/back-channel-logout`]),
    ...["--scope", ...scope, "--kind", "citizen", "official"],
  ]);
  const settings = { ISSUER: issuer, CLIENT_ID: client.id, CLIENT_SECRET: client.secret, PORT: String(port) };
  const child = spawn(process.execPath, [fileURLToPath(new URL(`${id}.mjs`, import.meta.url))], {
    env: { ...process.env, ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes(url)) continue;
    child.stdout.resume();
    return { child, url, name, client };
  }
  throw new Error(`${name} does not start at ${url}`);
}
