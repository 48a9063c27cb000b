// An official's account that was not used for long: a one-time code opens it.

import assert from "node:assert/strict";
import { ngomon } from "./demo.mjs";

const WORDS = {
  vi: { send: "Nhận mã để mở tài khoản", on: "Tiếp tục" },
  en: { send: "Get a code to unlock the account", on: "Continue" },
};

// Each who walks opens another account.
let next = 17;

export async function walk(visitor) {
  if (next === 17) {
    // Off again at once: whoever is judged anew by another walk is judged as of today, years after the demo's last sign-ins.
    ngomon("policy", "set", "idle-days", "45");
    ngomon("reconcile", "--as-of", "2023-07-31");
    ngomon("policy", "set", "idle-days", "");
  }
  const number = String(next++).padStart(3, "0");
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  await visitor.signIn(`canbo${number}`, `Hue-CV${number}`);
  await page.waitForURL("**/held");
  await visitor.look("held-idle");
  await visitor.button(words.send).click();
  await page.waitForURL("**/held/code");
  await visitor.look("held-code");
  await page.fill("#code", "12345");
  await visitor.button(words.on).click();
  await page.locator("#code-error").waitFor();
  await visitor.look("held-code-wrong");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await page.waitForURL("**/held");
  assert.equal(await page.locator(".sheet").count(), 0, "nothing holds it any more");
  await visitor.look("held-idle-mended");
  // Without signing in anew.
  await page.goto(`${visitor.url}/`);
  await page.locator(".timeline").waitFor();
  await visitor.signOut();
  await visitor.leave();
}
