// Two accounts of mine: a duplicate is joined to the standardised account, and its owner chooses which one stays.

import assert from "node:assert/strict";

const WORDS = {
  vi: { join: "Gộp tài khoản", on: "Tiếp tục", review: "Đề nghị xem xét lại" },
  en: { join: "Join my accounts", on: "Continue", review: "Ask for a review" },
};

// Each walk turns the two round.
let [held, holder] = ["007", "006"];

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  await visitor.signIn(`hues${held}`, `Hue-HS${held}`);
  await page.waitForURL("**/held");
  if (await visitor.button(words.review).count()) {
    await visitor.button(words.review).click();
    await page.waitForURL("**/held/review");
    await visitor.look("review-asked");
    await page.goto(`${visitor.url}/held`);
  }
  if (await page.getByRole("button", { name: words.join, exact: true }).count()) {
    await page.getByRole("button", { name: words.join, exact: true }).click();
  } else {
    await page.goto(`${visitor.url}/held/join`);
  }
  await page.waitForURL("**/held/join");
  await visitor.look("join");
  await page.fill("#username", `hues${holder}`);
  await page.fill("#password", `Hue-HS${holder}`);
  await visitor.button(words.on).click();
  await page.locator("#stays-held").waitFor();
  await page.locator("button[type=submit].govuk-button").last().click();
  await page.locator("#stays-error").waitFor();
  await visitor.look("join-choose");
  await page.check("#stays-held");
  await page.locator("button[type=submit].govuk-button").last().click();
  await page.locator("h1").filter({ hasText: { vi: "Đã gộp", en: "joined" }[visitor.language] }).waitFor();
  await visitor.look("joined");
  await page.goto(`${visitor.url}/held`);
  await visitor.look("held-opened");
  await visitor.signOut();

  await visitor.signIn(`hues${holder}`, `Hue-HS${holder}`);
  await page.waitForURL("**/held");
  assert.ok((await page.content()).includes(`hues${held}`), "it says which account it was joined to");
  await visitor.look("held-joined");
  await visitor.signOut();
  [held, holder] = [holder, held];
  await visitor.leave();
}
