// An official adds a device, signs in by it, and shows it to a connected system that asks for two factors. The device is Chromium's own
// virtual one.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { addClient } from "../../relying-parties/start.mjs";
import { code, enrol, enter as operatorEnters, removeDevices } from "./counter.mjs";
import { Visitor, ngomon } from "./demo.mjs";

const WORDS = {
  vi: {
    link: "Đăng nhập bằng vân tay, khuôn mặt của máy", add: "Thêm máy", confirm: "Xác nhận", skip: "Bỏ qua bước này",
    remove: "Gỡ máy", device: "Máy tính ở cơ quan", offered: "Thêm máy đang dùng", cancelled: "Chưa xác nhận trên máy",
  },
  en: {
    link: "Sign in with your device’s fingerprint or face", add: "Add", confirm: "Confirm", skip: "Skip this step",
    remove: "Remove", device: "Computer at the office", offered: "Add this device", cancelled: "It was not confirmed",
  },
};
const MUST = JSON.stringify({ id_token: { acr: { essential: true, value: "urn:ngomon:acr:2" } } });

let system;

/** A system that gets answers and shows nothing. */
async function began() {
  const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const callback = `http://127.0.0.1:${server.address().port}/cb`;
  return { server, callback, client: addClient(ngomon, "Một cửa điện tử", ["--redirect-uri", callback, "--scope", "openid"]) };
}

export const close = () => system?.server.close().closeAllConnections();

/** A request that insists on two factors. */
function request(visitor) {
  const query = new URLSearchParams({
    client_id: system.client.id, redirect_uri: system.callback, response_type: "code", scope: "openid", state: "st", claims: MUST,
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256",
  });
  return `${visitor.url}/authorize?${query}`;
}

export async function walk(from) {
  const visitor = Object.assign(from, { strict: true });
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  const device = page.locator("form[data-passkey] button");
  system ??= await began();
  const enter = async () => {
    await visitor.signIn("canbo001", "Hue-CV001");
    await page.locator(".timeline").waitFor();
  };

  if (!visitor.scripts) {
    assert.equal(await device.isVisible(), false, "nothing that would not work");
    await enter();
    await page.getByRole("link", { name: words.link }).click();
    await visitor.look("passkeys");
    assert.equal(await device.isVisible(), false);
    await visitor.signOut();
    await visitor.leave();
    return;
  }

  const chromium = await visitor.context.newCDPSession(page);
  await chromium.send("WebAuthn.enable");
  const { authenticatorId } = await chromium.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const looks = (isUserVerified) => chromium.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
  // As a browser that was never here: it offers nothing by itself.
  const forget = () => page.evaluate(() => localStorage.clear());

  // A system insists, and there is no device yet: it is added on the way.
  await visitor.look("sign-in-device");
  await enter();
  await page.goto(request(visitor));
  await visitor.look("step-up-none");
  await page.getByRole("button", { name: words.offered }).click();
  await page.waitForURL("**/passkeys?to=*");
  await visitor.look("passkeys-none");
  await looks(false);
  await visitor.button(words.add).click();
  await page.getByText(words.cancelled).waitFor();
  await visitor.look("passkeys-cancelled");
  await looks(true);
  await page.fill("#name", words.device);
  await visitor.button(words.add).click();
  await page.waitForURL("**/sign-in/step-up?to=*");
  await visitor.look("step-up");
  await visitor.button(words.confirm).click();
  await page.waitForURL(`${system.callback}?*`);
  assert.ok(new URL(page.url()).searchParams.get("code"), "two factors");

  // The same device is not added twice.
  await page.goto(`${visitor.url}/passkeys`);
  await visitor.look("passkeys");
  await visitor.button(words.add).click();
  await page.locator("[role=alert]:not(:empty)").waitFor();
  await visitor.look("passkeys-known");
  await forget();
  await visitor.signOut();

  // Without a user name, by the button and by what the browser offers, which the virtual device takes at once; the system is content.
  await device.click();
  await page.locator(".timeline").waitFor();
  await visitor.signOut();
  await page.locator(".timeline").waitFor();
  await page.goto(request(visitor));
  assert.ok(page.url().startsWith(system.callback), page.url());
  await page.goto(visitor.url);
  await forget();
  await visitor.signOut();

  // Who passes over it is told to the system.
  await enter();
  await page.goto(request(visitor));
  await page.getByRole("link", { name: words.skip }).click();
  await page.waitForURL(`${system.callback}?*`);
  assert.equal(new URL(page.url()).searchParams.get("error"), "unmet_authentication_requirements");

  // Removed, it opens nothing.
  await page.goto(`${visitor.url}/passkeys`);
  await page.getByRole("button", { name: words.remove }).click();
  await page.waitForURL("**/passkeys?done=removed");
  await visitor.look("passkeys-removed");
  await visitor.signOut();
  await device.click();
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.look("sign-in-device-wrong");

  // Added again, and lost: an operator removes it, and its owner is out.
  await enter();
  await page.goto(`${visitor.url}/passkeys`);
  await page.fill("#name", words.device);
  await visitor.button(words.add).click();
  await page.waitForURL("**/passkeys?done=added");
  await forget();
  const counter = new Visitor(visitor.browser, visitor.url, visitor.directory, visitor);
  await counter.arrive();
  const operator = `thu.${visitor.name}`;
  const { secret } = await enrol(counter, operator, false);
  await operatorEnters(counter, operator, code(secret, 1), false);
  await removeDevices(counter, "CV001");
  await counter.leave();
  await page.goto(visitor.url);
  await device.click();
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.leave();
}
