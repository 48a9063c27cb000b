// Operators at the counter: they enrol, sign in by two factors, enter a form with papers, and two of them move a claim.

import assert from "node:assert/strict";
import { code, enrol, enter, hold, lift } from "./counter.mjs";
import { rows } from "./demo.mjs";
import { people } from "./people.mjs";

const registry = new Map(rows("registry").map((person) => [person.national_id, person]));
const sent = new Set(rows("submissions").map((form) => form.account_id));
// Whoever has not been standardised; those at both ends are the citizens' walk's.
const waiting = rows("citizens").filter((account) => {
  const person = registry.get(account.national_id);
  return !sent.has(account.account_id) && person?.status === "active" && person.full_name === account.display_name;
});
const free = waiting.slice(16, -8);

const WORDS = {
  vi: {
    on: "Tiếp tục", find: "Tìm", send: "Gửi thông tin", propose: "Đề nghị chuyển chính chủ",
    approve: "Phê duyệt", exempt: "Ghi nhận", withdraw: "Hủy chuẩn hóa",
    differs: "Ba thông tin đã khớp. Chưa khớp: ngày cấp.",
  },
  en: {
    on: "Continue", find: "Find", send: "Send", propose: "Propose the transfer",
    approve: "Approve", exempt: "Exempt", withdraw: "Withdraw the claim",
    differs: "Three details match. Different: issue date.",
  },
};

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const { name } = visitor;
  const page = await visitor.arrive();
  const main = page.locator("main");

  const fillIn = async (person) => {
    await page.fill("#full_name", person.full_name);
    await page.fill("#national_id", person.national_id);
    await page.fill("#issued_on", person.issued_on);
    await page.fill("#phone", person.phone);
  };

  // The owner of the first account types another person's details into it: the claim stands on the wrong account.
  const [wrong, right] = free.splice(0, 2);
  const person = registry.get(right.national_id);
  await visitor.signIn(wrong.username, `Hue-${wrong.account_id}`);
  await page.waitForURL("**/form");
  await fillIn(person);
  await visitor.button(words.send).click();
  await page.locator("button[name=mine]").click();
  await page.waitForURL("**/form/code");
  await page.fill("#code", await visitor.code());
  await visitor.button(words.on).click();
  await page.locator(".govuk-panel--confirmation").waitFor();
  await visitor.signOut();

  const [an, binh] = ["an", "binh"].map((first) => `${first}.${name}`);
  const first = await enrol(visitor, an, true);
  const second = await enrol(visitor, binh, false);
  for (const { recovery } of [first, second]) assert.equal(recovery.length, 10, name);
  await enter(visitor, an, code(first.secret, 1), true);
  await visitor.look("desk");
  for (const tasks of ["reviews", "proposals"]) {
    await page.goto(`${visitor.url}/desk/${tasks}`);
    await visitor.look(`desk-${tasks}`);
  }
  await people(visitor);
  await page.goto(`${visitor.url}/desk`);
  await page.fill("#q", person.national_id);
  await visitor.button(words.find).click();
  await page.waitForURL("**/desk?q=*");
  assert.ok(!page.url().includes(person.national_id), "nothing is told by the address");
  await visitor.look("desk-found");
  await page.locator(`main a[href$="${right.account_id}"]`).click();
  await page.locator(".timeline").waitFor();
  await visitor.look("desk-held");

  // The form with papers: told what differs, then answered that another account has the claim.
  await page.locator("main .acts a[href$='/form']").click();
  await visitor.look("desk-form");
  await fillIn({ ...person, issued_on: "2020-01-01" });
  await page.locator("#papers").check();
  await visitor.button(words.send).click();
  await page.locator("#issued_on-error").waitFor();
  assert.ok((await main.innerText()).includes(words.differs), name);
  await visitor.look("desk-form-differs");
  await page.fill("#issued_on", person.issued_on);
  await visitor.button(words.send).click();
  await page.locator(".receipt__code").waitFor();
  await visitor.look("desk-taken");

  // A first operator proposes, a second one approves.
  await page.locator("main a.govuk-button").click();
  await visitor.look("desk-take-over");
  await page.fill("#reason", "chủ tài khoản xuất trình thẻ");
  await visitor.button(words.propose).click();
  await page.locator(".govuk-notification-banner").waitFor();
  await visitor.look("desk-proposed");
  await page.reload();
  assert.equal(await visitor.button(words.approve).count(), 0, "not by who proposed it");
  await visitor.signOut();
  await enter(visitor, binh, second.recovery[0], false);
  await page.locator('main a[href="/desk/take-overs"]').click();
  await visitor.look("desk-take-overs");
  await page.locator("main section a").first().click();
  await visitor.look("desk-decide");
  await visitor.button(words.approve).click();
  await page.locator(".govuk-notification-banner").waitFor();
  await visitor.look("desk-approved");

  // The account as it stands now: withdrawn, exempt, held and open again.
  const account = `${visitor.url}/desk/account/${right.account_id}`;
  await page.goto(account);
  assert.ok((await main.innerText()).includes(an), "both are named");
  await visitor.look("desk-account");
  await page.goto(`${account}/withdraw`);
  await page.fill("#reason", "khai nhầm tài khoản");
  await visitor.look("desk-withdraw");
  await visitor.button(words.withdraw).click();
  await page.locator(".govuk-notification-banner").waitFor();
  await page.goto(`${account}/exempt`);
  await visitor.button(words.exempt).click();
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.look("desk-exempt-wrong");
  await page.locator("#why").check();
  const day = new Date(Date.now() + 30 * 86_400_000);
  await page.fill("#last_day", `${day.getUTCDate()}/${day.getUTCMonth() + 1}/${day.getUTCFullYear()}`);
  await visitor.button(words.exempt).click();
  await page.locator(".govuk-notification-banner").waitFor();
  await hold(visitor, right.account_id, `15/CQĐT-${name}`, () => visitor.look("desk-hold"));
  await visitor.look("desk-done");
  await lift(visitor, right.account_id, () => visitor.look("desk-lift"));
  await page.goto(`${account}/lift`);
  await visitor.look("desk-refused");
  await visitor.signOut();

  // What an officer sees who is none: no page.
  await visitor.signIn("canbo001", "Hue-CV001");
  await page.waitForURL(`${visitor.url}/`);
  const none = await page.goto(`${visitor.url}/desk`);
  assert.equal(none.status(), 404);
  await page.goto(visitor.url);
  await visitor.signOut();
  await visitor.leave();
}
