// Operators at the counter, for every walk that needs one.

import { createHmac } from "node:crypto";
import { ngomon } from "./demo.mjs";

export const WORDS = {
  vi: { activate: "Kích hoạt", on: "Tiếp tục", hold: "Khóa tài khoản", lift: "Gỡ lý do khóa", remove: "Gỡ tất cả các máy" },
  en: { activate: "Activate", on: "Continue", hold: "Lock the account", lift: "Lift the reason", remove: "Remove all devices" },
};

const PASSWORD = "một cụm từ dài";

/** A one-time code (RFC 6238) of a secret in base 32, `later` half minutes from now. */
export function code(secret, later = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of secret.replace(/\s/g, "")) bits += letters.indexOf(letter).toString(2).padStart(5, "0");
  const bytes = bits.match(/.{8}/g).map((byte) => parseInt(byte, 2));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const mac = createHmac("sha1", Buffer.from(bytes)).update(step).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Somebody is named an operator by the command, and enrols by its link; gives the secret and the recovery codes. */
export async function enrol(visitor, operator, looks) {
  const { page } = visitor;
  const words = WORDS[visitor.language];
  const link = ngomon("operator", "add", operator, "--public-url", visitor.url).match(/http\S+\/enrol\/\w+/)[0];
  await page.goto(link);
  if (looks) {
    await visitor.look("enrol");
    await page.fill("#password", "ngắn");
    await visitor.button(words.activate).click();
    await page.locator(".govuk-error-summary").waitFor();
    await visitor.look("enrol-wrong");
  }
  const secret = await page.locator(".typed-secret").innerText();
  await page.fill("#password", PASSWORD);
  await page.fill("#again", PASSWORD);
  await page.fill("#code", code(secret));
  await visitor.button(words.activate).click();
  await page.locator(".recovery").waitFor();
  if (looks) await visitor.look("enrolled");
  return { secret, recovery: await page.locator(".recovery li").allInnerTexts() };
}

/** Signs in with a code of the authenticator, or with a recovery code. */
export async function enter(visitor, operator, second, looks) {
  const { page } = visitor;
  const words = WORDS[visitor.language];
  await page.goto(`${visitor.url}/sign-in`);
  await visitor.signIn(operator, PASSWORD);
  await page.locator("#code").waitFor();
  if (looks) {
    await visitor.look("code");
    await page.fill("#code", "12");
    await visitor.button(words.on).click();
    await page.locator(".govuk-error-summary").waitFor();
    await visitor.look("code-wrong");
  }
  await page.fill("#code", second);
  await visitor.button(words.on).click();
  await page.waitForURL("**/desk");
}

/** Holds an account by an order; gives the moment of the click. `look`: what to do before it is sent. */
export async function hold(visitor, account, document, look) {
  const { page } = visitor;
  await page.goto(`${visitor.url}/desk/account/${account}/hold`);
  await look?.();
  await page.fill("#ordered_by", "Công an thành phố Huế");
  await page.fill("#document", document);
  await page.fill("#text", "để xác minh");
  const clicked = performance.now();
  await visitor.button(WORDS[visitor.language].hold).click();
  await page.locator(".govuk-notification-banner").waitFor();
  return clicked;
}

/** Lifts the hold that the account's page offers to lift. */
export async function lift(visitor, account, look) {
  const { page } = visitor;
  await page.goto(`${visitor.url}/desk/account/${account}`);
  await page.locator("main section a[href*='/lift?']").click();
  await page.fill("#reason", "đã xác minh");
  await look?.();
  await visitor.button(WORDS[visitor.language].lift).click();
  await page.locator(".govuk-notification-banner").waitFor();
}

/** Removes the devices that sign in to an account, by the way that its page offers. */
export async function removeDevices(visitor, account) {
  const { page } = visitor;
  await page.goto(`${visitor.url}/desk/account/${account}`);
  await page.locator("main .acts a[href$='/passkeys']").click();
  await visitor.look("desk-passkeys");
  await visitor.button(WORDS[visitor.language].remove).click();
  await page.locator(".govuk-error-summary").waitFor();
  await page.fill("#reason", "mất máy");
  await visitor.button(WORDS[visitor.language].remove).click();
  await page.locator(".govuk-notification-banner").waitFor();
  await visitor.look("desk-passkeys-removed");
}
