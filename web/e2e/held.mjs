// A held account: the clause, the evidence, who can mend it, the way out.

import assert from "node:assert/strict";

export async function walk(visitor) {
  const page = await visitor.arrive();
  for (const [username, password, clause] of [
    ["hues005", "Hue-HS005", "125/UBND"],
    ["canbo003", "Hue-CV003", "108/STTTT-CNTT"],
  ]) {
    await visitor.signIn(username, password);
    await page.waitForURL("**/held");
    assert.ok((await page.content()).includes(clause), `${username}: the clause is named`);
    await visitor.look(`held-${username}`);
    await visitor.signOut();
  }
  // Whoever moved goes on with the account at the new unit, by the page's own words.
  await visitor.signIn("canbo009", "Hue-CV009");
  await page.waitForURL("**/held");
  assert.ok((await page.content()).includes("canbo009.2"), "the new user name");
  await visitor.look("held-moved");
  await visitor.button({ vi: "Tiếp tục bằng tài khoản mới", en: "Continue with the new account" }[visitor.language]).click();
  await page.waitForURL(`${visitor.url}/`);
  assert.ok((await page.content()).includes("canbo009.2"), "in the new account");
  await visitor.signOut();
  await visitor.leave();
}
