// An operator adds a connected system, sees its secret once, gives it a new one, refuses it and removes it.

import assert from "node:assert/strict";
import { code, enrol, enter } from "./counter.mjs";

const WORDS = {
  vi: { add: "Thêm", rotate: "Cấp khóa bí mật mới", disable: "Ngừng hệ thống", remove: "Bỏ hẳn hệ thống" },
  en: { add: "Add", rotate: "A new secret", disable: "Refuse the system", remove: "Remove the system" },
};

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const page = await visitor.arrive();
  const operator = `he-thong-${visitor.name}`;
  const { secret: shared } = await enrol(visitor, operator, false);
  await enter(visitor, operator, code(shared, 1), false);
  await page.goto(`${visitor.url}/desk/systems`);
  await visitor.look("systems");
  await page.goto(`${visitor.url}/desk/systems/new`);
  await visitor.look("system-add");
  // Told who people are without asking them, it would be another operator's to agree to.
  for (const scope of await page.locator('input[name="scopes"]:checked').all()) await scope.uncheck({ force: true });
  await page.fill("#name", `Văn bản ${visitor.name}`);
  await page.fill("#redirect_uris", "http://van-ban.example/cb");
  await visitor.button(words.add).click();
  await page.locator(".govuk-error-summary").waitFor();
  await visitor.look("system-add-wrong");
  await page.fill("#redirect_uris", "https://van-ban.example/cb");
  await visitor.button(words.add).click();
  const secret = page.locator(".typed-secret");
  await secret.last().waitFor();
  assert.match(await secret.last().innerText(), /^[0-9a-f]{64}$/);
  await visitor.look("system-secret");
  const id = await secret.first().innerText();
  for (const act of ["rotate", "disable", "remove"]) {
    await page.goto(`${visitor.url}/desk/systems/${id}/${act}`);
    await visitor.look(`system-${act}`);
    await visitor.button(words[act]).click();
    await page.locator(".govuk-notification-banner").waitFor();
  }
  await page.goto(`${visitor.url}/desk/systems/told`);
  await visitor.look("systems-told");
  await visitor.signOut();
  await visitor.leave();
}
