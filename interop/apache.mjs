// Apache with mod_auth_openidc, as Debian has them: a server of our own on private ports, with nothing of /etc.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";

const MODULES = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc"];

/** A site for each of `sites` ({ name, port, client, refreshes }); answers once they are open. `refreshes`: at each page. */
export async function apache(issuer, sites) {
  // Not in the build folder: its workers are nobody in particular and may not look into everybody's home.
  process.umask(0o022);
  const directory = mkdtempSync(`${tmpdir()}/ngomon-apache-`);
  chmodSync(directory, 0o755);
  for (const folder of ["pages", "pages/out"]) {
    mkdirSync(`${directory}/${folder}`);
    // No icon is asked for: two requests at once would use the same refresh token twice, for this module does not take turns.
    writeFileSync(`${directory}/${folder}/index.html`, `<!doctype html><link rel="icon" href="data:,"><title>${folder}</title>`);
  }
  const hosts = sites.map(({ name, port, client, refreshes }) => `
Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
  DocumentRoot ${directory}/pages
  OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
  OIDCClientID ${client.id}
  OIDCClientSecret ${client.secret}
  OIDCRedirectURI http://127.0.0.1:${port}/callback
  OIDCCryptoPassphrase ${client.secret}
  OIDCScope "openid profile"
  OIDCPKCEMethod S256
  OIDCCookie ${name}
  OIDCPassClaimsAs environment
  ${refreshes ? "OIDCRefreshAccessTokenBeforeExpiry 86400 logout_on_error" : ""}
  <Location />
    AuthType openid-connect
    Require valid-user
    Header set X-Username "expr=%{reqenv:OIDC_CLAIM_preferred_username}"
    Header set X-Access "expr=%{reqenv:OIDC_access_token}"
    Header set Cache-Control no-store
  </Location>
  <Location /out>
    AuthType None
    Require all granted
  </Location>
</VirtualHost>`);
  const config = `${directory}/apache.conf`;
  writeFileSync(config, `
ServerName 127.0.0.1
User www-data
Group www-data
PidFile ${directory}/pid
ErrorLog ${directory}/error.log
LogLevel warn
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
DirectoryIndex index.html
${hosts.join("\n")}
`);
  const log = () => (existsSync(`${directory}/error.log`) ? readFileSync(`${directory}/error.log`, "utf8") : "");
  const child = spawn("/usr/sbin/apache2", ["-D", "FOREGROUND", "-d", directory, "-f", config], { stdio: ["ignore", "ignore", "inherit"] });
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(directory, { recursive: true, force: true });
  };
  for (const { port } of sites)
    while (!(await fetch(`http://127.0.0.1:${port}/out/`).then(({ ok }) => ok, () => false))) {
      if (child.exitCode !== null) throw new Error(`apache2 does not start: ${log()}`);
      await setTimeout(50);
    }
  return { stop, log };
}
