// Somebody forgot the password: a code to the phone on file sets another.

import assert from "node:assert/strict";

const WORDS = {
  vi: { send: "Gửi mã", on: "Tiếp tục", set: "Đặt mật khẩu", forgot: "Quên mật khẩu" },
  en: { send: "Send the code", on: "Continue", set: "Set the password", forgot: "I forgot my password" },
};

// Each who walks has another account.
let next = 30;

export async function walk(visitor) {
  const number = String(next++).padStart(3, "0");
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  await page.getByRole("link", { name: words.forgot, exact: true }).click();
  await page.waitForURL("**/sign-in/reset");
  await visitor.look("reset");
  await page.fill("#username", `canbo${number}`);
  await page.locator("main form button").click();
  await page.waitForURL("**/sign-in/reset/sent");
  await visitor.look("reset-sent");
  const code = await visitor.code();
  await page.fill("#code", code === "000000" ? "000001" : "000000");
  await visitor.button(words.on).click();
  await page.locator(".govuk-error-summary").waitFor();
  await page.fill("#code", code);
  await visitor.button(words.on).click();
  await page.locator("#again").waitFor();
  await visitor.look("reset-password");
  await page.fill("#password", "ngắn");
  await visitor.button(words.set).click();
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.look("reset-password-wrong");
  for (const field of ["#password", "#again"]) await page.fill(field, `bốn từ ghép lại ${number}`);
  await visitor.button(words.set).click();
  await page.waitForURL("**/sign-in?why=reset");
  await visitor.look("reset-done");
  await visitor.signIn(`canbo${number}`, `Hue-CV${number}`);
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.signIn(`canbo${number}`, `bốn từ ghép lại ${number}`);
  await page.waitForFunction(() => !location.pathname.startsWith("/sign-in"));
  assert.ok(!page.url().includes("/sign-in"), visitor.name);
  await visitor.leave();
}
