// A held official mends the own HR profile: looks it over, or proposes what is otherwise.

import assert from "node:assert/strict";

const WORDS = {
  vi: { profile: "Hồ sơ của tôi", reviewed: "Đã rà soát", send: "Gửi đề nghị" },
  en: { profile: "My HR profile", reviewed: "Reviewed", send: "Send the proposal" },
};

// The first to walk finds the account held.
let held = true;

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  await visitor.signIn("canbo006", "Hue-CV006");
  if (held) {
    await page.waitForURL("**/held");
    await visitor.look("held-review-overdue");
    await visitor.button(words.profile).click();
  } else {
    await page.locator(".timeline").waitFor();
    await visitor.look("home-official");
    await page.getByRole("link", { name: words.profile }).click();
  }
  await page.waitForURL("**/profile");
  await visitor.look("profile");
  await visitor.button(words.reviewed).click();
  if (held) {
    await page.waitForURL("**/held");
    assert.equal(await page.locator(".sheet").count(), 0, "nothing holds it any more");
    await visitor.look("held-mended");
  } else {
    await page.waitForURL("**/profile?done=reviewed");
    await visitor.look("profile-reviewed");
  }
  held = false;
  await visitor.signOut();

  await visitor.signIn("canbo004", "Hue-CV004");
  await page.waitForURL("**/held");
  await page.goto(`${visitor.url}/profile/propose`);
  await page.fill("#birth_date", "31/2/1980");
  await visitor.button(words.send).click();
  await page.locator("#birth_date-error").waitFor();
  await visitor.look("propose");
  await page.fill("#birth_date", "");
  await page.fill("#unit", "Xã Bến Ngự");
  await page.fill("#document", "12/QĐ-UBND ngày 15/6/2023");
  await visitor.button(words.send).click();
  await page.waitForURL("**/profile?done=proposed");
  await visitor.look("proposed");
  await visitor.signOut();
  await visitor.leave();
}
