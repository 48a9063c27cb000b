// From a figure of the report to the people behind it, and to one of them: an operator's way.

import assert from "node:assert/strict";

const WORDS = { vi: { next: "Trang tiếp theo", none: "Không có tài khoản nào" }, en: { next: "Next page", none: "There is none" } };

export async function people(visitor) {
  const { page, name, url } = visitor;
  const words = WORDS[visitor.language];
  await page.goto(`${url}/report`);
  const figure = page.locator('a[data-live="not_started"]');
  const all = Number(await figure.innerText());
  await visitor.look("report-operator");
  await figure.click();
  await page.waitForURL("**/desk/people/**");
  await visitor.look("desk-people");
  const lines = page.locator("tbody tr");
  let seen = await lines.count();
  for (const next = page.getByRole("link", { name: words.next }); await next.count(); seen += await lines.count()) {
    assert.equal((await lines.count()) % 50, 0, `${name}: a page is full`);
    await next.click();
    await page.waitForURL("**?after=*");
  }
  assert.equal(seen, all, `${name}: as many as the figure says`);
  for (const file of ["people.csv", "people.xlsx"]) {
    const href = await page.locator(`a[download][href$="/${file}"]`).getAttribute("href");
    assert.ok((await visitor.context.request.get(url + href)).ok(), `${name}: ${file}`);
  }
  await page.goto(`${url}/desk/people/HUE/exempt`);
  if (await page.getByText(words.none).count()) await visitor.look("desk-people-none");
  await page.goto(`${url}/desk/people/HUE/held`);
  await visitor.look("desk-people-held");
  await lines.first().locator("a").click();
  await page.locator(".timeline").waitFor();
}
