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
  await visitor.leave();
}
