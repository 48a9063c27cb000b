// An official looks at the report: tiles, chart and the table beside it, down the tree and back; figures follow while they look.

import assert from "node:assert/strict";
import { Visitor, rows } from "./demo.mjs";

const WORDS = {
  vi: { report: "Báo cáo số", send: "Gửi thông tin", agreed: "Số liệu khớp", down: "Huyện Sông Bồ", live: "tự cập nhật" },
  en: { report: "Digital report", send: "Send", agreed: "The figures agree", down: "Huyện Sông Bồ", live: "update by themselves" },
};

const forms = rows("submissions");
const phones = new Map(rows("registry").map((person) => [person.phone, person.national_id]));
// Whoever has sent no form yet, and bears nobody's details: the first form that does not match is a refusal more.
const untried = rows("citizens").filter(({ account_id, national_id, phone }) => {
  const sent = forms.some((form) => form.account_id === account_id || form.national_id === phones.get(phone));
  return !sent && !national_id;
});

/** The page under its own policy: nothing that it forbids, the chart drawn, and figures that follow. */
async function live(visitor) {
  const { browser, viewport, url, directory, device, language, scripts, name } = visitor;
  const words = WORDS[language];
  const context = await browser.newContext({ viewport, storageState: await visitor.context.storageState() });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${url}/report`);
  await page.locator(".chart canvas").waitFor();
  await page.getByText(words.live).waitFor();
  const refused = page.locator('[data-live="refused"]');
  const before = Number(await refused.innerText());

  const citizen = new Visitor(browser, url, directory, { viewport, device, language, scripts });
  const account = untried.shift();
  const form = await citizen.arrive();
  await citizen.signIn(account.username, `Hue-${account.account_id}`);
  await form.waitForURL("**/form");
  await citizen.button(words.send).click();
  await form.locator(".govuk-error-summary").waitFor();
  await citizen.leave();

  await refused.filter({ hasText: new RegExp(`^${before + 1}$`) }).waitFor();
  await page.mouse.move(viewport.width / 2, 0);
  await page.locator(".chart canvas").hover();
  await page.screenshot({ path: `${directory}/${name}-report-live.png`, fullPage: true });
  assert.deepEqual(complaints, [], `${name}: what the policy forbids`);
  await context.close();
}

export async function walk(visitor) {
  const words = WORDS[visitor.language];
  const { name } = visitor;
  const page = await visitor.arrive();
  await visitor.signIn("canbo001", "Hue-CV001");
  await page.getByRole("link", { name: words.report, exact: true }).click();
  await page.waitForURL("**/report");
  assert.equal(await page.locator('[data-live="accounts"]').innerText(), String(rows("citizens").length), name);
  await page.getByText(words.agreed).waitFor();
  assert.ok((await page.locator('[data-live="days"] tr').count()) > 3, "the table is whole without the chart");
  assert.equal(await page.locator(".chart canvas").count(), visitor.scripts ? 1 : 0, name);
  await visitor.look("report");
  if (visitor.scripts) await live(visitor);

  await page.getByRole("link", { name: words.down, exact: true }).click();
  await page.locator(".govuk-breadcrumbs").waitFor();
  await visitor.look("report-unit");
  for (const file of ["report.csv", "report.xlsx", "staff.csv", "days.csv", "holds.csv", "refusals.csv"]) {
    const href = await page.locator(`a[download][href$="/${file}"]`).getAttribute("href");
    const answer = await visitor.context.request.get(visitor.url + href);
    assert.ok(answer.ok() && (await answer.body()).length > 20, `${name}: ${file}`);
  }
  assert.equal(await page.locator('a[href^="/desk/"]').count(), 0, "an official sees no names");
  await page.locator(".govuk-breadcrumbs__link").first().click();
  assert.equal(await page.locator(".govuk-breadcrumbs").count(), 0, "back on top");
  await visitor.signOut();
  await visitor.leave();
}
