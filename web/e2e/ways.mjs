// Each way out, from the held page to the open account, by the words of the pages alone, on a phone. Joining, a code, a review of the own
// profile and moving on have walks of their own.

import assert from "node:assert/strict";
import { code, enrol, enter, hold, lift } from "./counter.mjs";
import { Visitor, ngomon, rows } from "./demo.mjs";

const registry = new Map(rows("registry").map((person) => [person.national_id, person]));
const sent = new Set(rows("submissions").flatMap((form) => [form.account_id, form.national_id]));
const stated = new Set(rows("citizens").map((account) => account.national_id));

// Whoever has sent no form, and stands in the registry under the name of the account: the other walks leave these three.
const [wrong, right, late] = rows("citizens")
  .filter((account) => registry.get(account.national_id)?.full_name === account.display_name && registry.get(account.national_id).status === "active")
  .filter((account) => account.password_hash && !sent.has(account.account_id))
  .slice(-6, -3);

/** Somebody whom the registry knows, and no account does. */
const stranger = () => rows("registry").find((one) => one.status === "active" && one.phone && one.issued_on && !stated.has(one.national_id) && !sent.has(one.national_id));

async function fill(page, person) {
  for (const field of ["full_name", "national_id", "issued_on", "phone"]) await page.fill(`#${field}`, person[field]);
}

async function form(visitor, person) {
  const { page } = visitor;
  await fill(page, person);
  await visitor.button("Gửi thông tin").click();
  if (await page.locator("button[name=mine]").count()) await page.locator("button[name=mine]").click();
  await page.waitForURL("**/form/code");
  await page.fill("#code", await visitor.code());
  await visitor.button("Tiếp tục").click();
  await page.locator(".govuk-panel--confirmation").waitFor();
}

/** The account is open: its home is there. */
async function open(visitor, state) {
  const { page, url } = visitor;
  await page.goto(`${url}/`);
  if (page.url().endsWith("/held")) await page.goto(`${url}/`);
  await page.locator(".timeline").waitFor();
  assert.ok(!page.url().endsWith("/held"), `${state}: ${page.url()}`);
  await visitor.look(`open-${state}`);
  await visitor.signOut();
}

/** Somebody typed another one's details; that one came to the counter with papers, and two operators moved the claim. */
export async function claimLost(visitor, desk, [an, binh]) {
  const { page, url } = visitor;
  await visitor.signIn(wrong.username, `Hue-${wrong.account_id}`);
  await page.waitForURL("**/form");
  await form(visitor, registry.get(right.national_id));
  await visitor.signOut();

  await desk.page.goto(`${url}/desk/account/${right.account_id}/form`);
  await fill(desk.page, registry.get(right.national_id));
  await desk.page.locator("#papers").check();
  await desk.button("Gửi thông tin").click();
  await desk.page.locator(".receipt__code").waitFor();
  await desk.page.locator("main a.govuk-button").click();
  await desk.page.fill("#reason", "chủ tài khoản xuất trình thẻ");
  await desk.button("Đề nghị chuyển chính chủ").click();
  await desk.page.locator(".govuk-notification-banner").waitFor();
  await desk.signOut();
  await enter(desk, "ways2", binh.recovery[0], false);
  await desk.page.goto(`${url}/desk/take-overs`);
  await desk.page.locator("main section a").first().click();
  await desk.button("Phê duyệt").click();
  await desk.page.locator(".govuk-notification-banner").waitFor();
  await desk.signOut();
  await enter(desk, "ways", an.recovery[0], false);

  await visitor.signIn(wrong.username, `Hue-${wrong.account_id}`);
  await page.waitForURL("**/held");
  await visitor.look("ways-claim-lost");
  await visitor.button("Chuẩn hóa bằng thông tin của tôi").click();
  await form(visitor, registry.get(wrong.national_id));
  await open(visitor, "claim-lost");
}

/** The deadline has passed, and the campaign holds whoever has not standardised. */
export async function notStandardised(visitor) {
  const { page } = visitor;
  ngomon("campaign", "set", "deadline.citizens", "2023-07-25", "--approve");
  ngomon("campaign", "set", "after-deadline", "hold", "--approve");
  await visitor.signIn(late.username, `Hue-${late.account_id}`);
  await page.waitForURL("**/held");
  await visitor.look("ways-not-standardised");
  await visitor.button("Chuẩn hóa bằng thông tin của tôi").click();
  await form(visitor, registry.get(late.national_id));
  await open(visitor, "not-standardised");
  ngomon("campaign", "set", "after-deadline", "nag");
}

/** What is opened here is held in the other walks: this one comes after them all. */
export const walk = () => {};

export async function last(visitor) {
  const { language, scripts, url, browser, directory } = visitor;
  const desk = new Visitor(browser, url, directory, { device: "desktop", viewport: { width: 1280, height: 900 }, language, scripts });
  await desk.arrive();
  const [an, binh] = [await enrol(desk, "ways", false), await enrol(desk, "ways2", false)];
  await enter(desk, "ways", code(an.secret, 1), false);
  const accept = async (account) => {
    await desk.page.goto(`${url}/desk/proposals`);
    // The last of this account: the other walks proposed before.
    const proposal = desk.page.locator("main section", { has: desk.page.locator(`a[href$="/${account}"]`) }).last();
    await proposal.locator("input[name=reason]").fill("đúng với quyết định");
    await proposal.getByRole("button", { name: "Chấp nhận", exact: true }).click();
    await desk.page.locator(".govuk-notification-banner").waitFor();
  };

  const page = await visitor.arrive();
  for (const [number, reason, fill] of [
    ["003", "mismatch", () => page.getByLabel("Hồ sơ đã đúng, đề nghị sửa tài khoản theo hồ sơ").check()],
    ["005", "stale-info", () => page.fill("#document", "12/QĐ-UBND ngày 15/6/2026")],
    ["004", "transfer-pending", () => page.fill("#document", "12/QĐ-UBND ngày 15/6/2023")],
  ]) {
    await visitor.signIn(`canbo${number}`, `Hue-CV${number}`);
    await page.waitForURL("**/held");
    await visitor.look(`ways-${reason}`);
    await visitor.button("Hồ sơ của tôi").first().click();
    // Years after the demo's days, what is mended is judged as of today: the review and the next pay step are due too.
    await visitor.button("Đã rà soát").click();
    await page.waitForURL(/held|done=reviewed/);
    if (page.url().includes("/held")) await visitor.button("Hồ sơ của tôi").first().click();
    await page.getByRole("link", { name: "Đề nghị cập nhật hồ sơ" }).click();
    await page.fill("#next_due_on", "1/7/2029");
    await fill();
    await visitor.button("Gửi đề nghị").click();
    await page.waitForURL("**/profile?done=proposed");
    await accept(`CV${number}`);
    await page.goto(`${url}/held`);
    // Whoever was moved reads so, and goes on with the account at the new unit.
    if (reason === "transfer-pending") {
      await visitor.look("ways-moved");
      await visitor.button("Tiếp tục bằng tài khoản mới").click();
    }
    await open(visitor, reason);
  }

  // A duplicate that is somebody else's account.
  const person = stranger();
  assert.ok(person, "the registry knows nobody else");
  await visitor.signIn("hues005", "Hue-HS005");
  await page.waitForURL("**/held");
  await visitor.button("Chuẩn hóa bằng thông tin của tôi").click();
  await form(visitor, person);
  await open(visitor, "duplicate");

  // Who asked for a lock asks for its end.
  await hold(desk, "CV001", "15/CQĐT");
  await visitor.signIn("canbo001", "Hue-CV001");
  await page.waitForURL("**/held");
  await visitor.look("ways-by-order");
  await lift(desk, "CV001");
  await page.goto(`${url}/held`);
  await open(visitor, "by-order");

  await claimLost(visitor, desk, [an, binh]);
  await notStandardised(visitor);
  await desk.leave();
  await visitor.leave();
}
