// A citizen standardises: wrong at first, then right; another puts it off.

import assert from "node:assert/strict";
import { rows } from "./demo.mjs";

const registry = new Map(rows("registry").map((person) => [person.national_id, person]));
const sent = new Set(rows("submissions").map((form) => form.account_id));
// Whoever has not been standardised and stands in the registry under the name of the account.
const waiting = rows("citizens").filter((account) => {
  const person = registry.get(account.national_id);
  return account.password_hash && !sent.has(account.account_id) && person?.status === "active" && person.full_name === account.display_name;
});

const WORDS = {
  vi: { malformed: "9 số", later: "Để sau", on: "Tiếp tục", send: "Gửi thông tin", which: "Gửi mã để xem ô nào chưa khớp" },
  en: { malformed: "9 were entered", later: "Later", on: "Continue", send: "Send", which: "Send a code to see which field differs" },
};

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const { name } = visitor;
  const page = await visitor.arrive();
  await page.waitForURL("**/sign-in");
  await visitor.look("sign-in");

  const owner = waiting.shift();
  await visitor.signIn(owner.username, "not the password");
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.look("sign-in-wrong");

  await visitor.signIn(owner.username, `Hue-${owner.account_id}`);
  await page.waitForURL("**/form");
  await visitor.look("form");
  await page.fill("#national_id", "191234567");
  await visitor.button(words.send).click();
  await page.locator(".govuk-error-summary").waitFor();
  assert.ok((await page.locator("#national_id-error").innerText()).includes(words.malformed), name);
  assert.equal(await page.inputValue("#national_id"), "191234567", "what was typed is kept");
  await visitor.look("form-malformed");

  const person = registry.get(owner.national_id);
  const right = [
    ["#full_name", person.full_name],
    ["#national_id", person.national_id],
    ["#issued_on", person.issued_on],
    ["#phone", person.phone],
  ];
  for (const [field, value] of right) await page.fill(field, value);
  await page.fill("#full_name", "Tên Người Khác");
  await visitor.button(words.send).click();
  await page.locator("button[name=mine]").waitFor();
  await visitor.look("form-whose");
  await page.fill("#full_name", person.full_name);
  await page.fill("#issued_on", "1/1/2001");
  await page.locator("button[name=mine]").click();
  // Right or wrong, the typed phone is proven first.
  await page.waitForURL("**/form/code");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await visitor.button(words.which).waitFor();
  await visitor.look("form-differs");
  await visitor.button(words.which).click();
  await page.waitForURL("**/form/fields");
  await visitor.look("form-which");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await page.locator("#issued_on-error").waitFor();
  await visitor.look("form-field-named");

  await page.fill("#issued_on", person.issued_on);
  await visitor.button(words.send).click();
  await page.waitForURL("**/form/code");
  await visitor.look("form-code");
  await page.fill("#code", "12");
  await visitor.button(words.on).click();
  await page.locator("#code-error").waitFor();
  await visitor.look("form-code-wrong");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await page.locator(".govuk-panel--confirmation").waitFor();
  assert.match(await page.locator(".govuk-panel--confirmation").innerText(), /DH-\w{4}-\w{4}/);
  await visitor.look("standardised");
  await page.getByRole("link", { name: words.on, exact: true }).click();
  await page.locator(".timeline").waitFor();
  await visitor.look("home");
  await visitor.signOut();
  await page.goBack();
  assert.ok(!(await page.content()).includes(person.full_name), "nothing is left behind the back button");
  await page.goto(visitor.url);

  const later = waiting.at(-1);
  await visitor.signIn(later.username, `Hue-${later.account_id}`);
  await page.waitForURL("**/form");
  await page.goto(`${visitor.url}/form/exempt`);
  await visitor.look("exempt");
  await page.goto(`${visitor.url}/form`);
  await visitor.button(words.later).click();
  await page.locator(".timeline").waitFor();
  await visitor.look("put-off");
  await visitor.signOut();
  await visitor.leave();
}
