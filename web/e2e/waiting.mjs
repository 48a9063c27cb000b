// The registry is away: the form is kept, nobody is told to be wrong, and offices read of it. And an account without a password begins by a code.

import assert from "node:assert/strict";
import { rows } from "./demo.mjs";

const registry = new Map(rows("registry").map((person) => [person.national_id, person]));
const without = rows("citizens").filter((account) => !account.password_hash && registry.has(account.national_id));

const WORDS = {
  vi: { send: "Gửi mã", on: "Tiếp tục", form: "Gửi thông tin", silent: "chưa trả lời" },
  en: { send: "Send a code", on: "Continue", form: "Send", silent: "has not answered" },
};

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  const owner = without.shift();
  const person = registry.get(owner.national_id);

  await page.goto(`${visitor.url}/sandbox/registry`);
  await visitor.look("sandbox-registry");
  await page.selectOption(`#mood-${person.national_id}`, "down");
  await page.locator("form", { has: page.locator(`#mood-${person.national_id}`) }).locator("button").click();
  await page.locator(`#mood-${person.national_id}`).waitFor();
  assert.equal(await page.inputValue(`#mood-${person.national_id}`), "down");

  await page.goto(`${visitor.url}/sign-in/code`);
  await visitor.look("sign-in-by-code");
  await page.fill("#username", owner.username);
  await visitor.button(words.send).click();
  await page.waitForURL("**/sign-in/code/sent");
  await visitor.look("sign-in-code-sent");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await page.waitForURL("**/form");

  for (const field of ["full_name", "national_id", "issued_on", "phone"]) await page.fill(`#${field}`, person[field]);
  await visitor.button(words.form).click();
  await page.waitForURL("**/form/code");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await page.locator(".govuk-panel--confirmation").waitFor();
  await visitor.look("pending");

  await visitor.signOut();
  await visitor.signIn("canbo001", "Hue-CV001");
  await page.goto(`${visitor.url}/report`);
  const alert = page.locator('[data-live="alerts"] li').first();
  assert.ok((await alert.innerText()).includes(words.silent), "a silent registry is told");
  await visitor.look("report-silent");

  for (const [path, state] of [["", "messages"], ["/parts", "parts"]]) {
    await page.goto(`${visitor.url}/sandbox${path}`);
    await visitor.look(`sandbox-${state}`);
  }
  await visitor.leave();
}
