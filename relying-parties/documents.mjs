// A document-management system: officials see what came in for their unit, by what the province says of their employment. A citizen's
// account may sign in too, and sees the offices' answers.

import { html } from "./page.mjs";
import { serve } from "./system.mjs";

const words = {
  vi: {
    name: "Quản lý văn bản", lead: "Văn bản đến và văn bản trả lời, cho cán bộ và người dân.", who: "Người sử dụng", full_name: "Họ và tên",
    unit: "Đơn vị", position: "Chức vụ", code: "Mã công chức", incoming: "Văn bản đến", answers: "Văn bản trả lời", number: "Số", about: "Trích yếu",
    due: "Hạn xử lý", official: "Bàn làm việc", citizen: "Văn bản của tôi",
  },
  en: {
    name: "Document management", lead: "Incoming documents and answers, for officials and citizens.", who: "User", full_name: "Full name",
    unit: "Unit", position: "Position", code: "Employee code", incoming: "Incoming documents", answers: "Answers", number: "Number",
    about: "Subject", due: "Due", official: "Desk", citizen: "My documents",
  },
};

// Documents are in Vietnamese, whoever reads them.
const INCOMING = [
  ["125/UBND-MH", "Chuẩn hóa tài khoản trên nền tảng Hue-S", "19/7/2023"],
  ["41/BC-MH", "Báo cáo tuần về tiến độ chuẩn hóa", "25/7/2023"],
  ["7/GM-MH", "Giấy mời họp giao ban", "31/7/2023"],
];
const ANSWERS = [["12/TL-MH", "Trả lời phản ánh hiện trường về chiếu sáng công cộng", ""]];

function table(caption, rows, words) {
  const columns = ["number", "about", ...(rows.some(([, , due]) => due) ? ["due"] : [])];
  const cells = (row) => columns.map((name, at) => html`<td lang="vi" class="${name === "about" ? "" : "whole"}">${row[at]}</td>`);
  return html`<table><caption>${caption}</caption>
<thead><tr>${columns.map((name) => html`<th scope="col">${words[name]}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody></table>`;
}

function home({ claims, words }) {
  const { unit_name, position, employee_code } = claims.employment ?? {};
  const isOfficial = claims.account_kind === "official";
  const lines = [["full_name", claims.name], ["unit", unit_name], ["position", position], ["code", employee_code]];
  const known = lines.filter(([, value]) => value);
  const content = html`<section class="card"><h2>${words.who}</h2>
<dl>${known.map(([name, value]) => html`<div><dt>${words[name]}</dt><dd data-claim="${name}">${value}</dd></div>`)}</dl></section>
${isOfficial ? table(words.incoming, INCOMING, words) : table(words.answers, ANSWERS, words)}`;
  return { title: isOfficial ? words.official : words.citizen, content };
}

serve({ id: "documents", scope: "openid profile employment", words, home });
