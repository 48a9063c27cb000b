// A small Hue-S, the citizens' app: its home screen shows how far the account is standardised (letter 125), with a way to the form.

import { html } from "./page.mjs";
import { serve } from "./system.mjs";

const SERVICES = ["report", "weather", "health", "schools"];

const words = {
  vi: {
    name: "Hue-S", lead: "Dịch vụ đô thị thông minh của tỉnh, trong một ứng dụng.", hello: "Xin chào", services: "Dịch vụ",
    report: "Phản ánh hiện trường", weather: "Cảnh báo mưa lũ", health: "Y tế", schools: "Giáo dục",
    gate: "Chuẩn hóa tài khoản", to_form: "Điền biểu mẫu",
    asked: "Tài khoản chưa thực hiện chuẩn hóa. Mời điền bốn thông tin theo căn cước; mất khoảng hai phút.",
    required: "Tài khoản chưa thực hiện chuẩn hóa. Mời điền bốn thông tin theo căn cước để dùng tiếp.",
    pending: "Đã nhận thông tin, đang chờ đối chiếu. Kết quả sẽ tự có, không cần khai lại.",
    standardised: "Tài khoản đã chuẩn hóa.", exempt: "Tài khoản chưa thuộc diện chuẩn hóa.", rests: "Chưa cần chuẩn hóa lúc này.",
  },
  en: {
    name: "Hue-S", lead: "The province's smart-city services in one application.", hello: "Hello", services: "Services",
    report: "Report a problem", weather: "Flood warnings", health: "Health", schools: "Schools",
    gate: "Standardise your account", to_form: "Fill in the form",
    asked: "This account is not standardised yet. Fill in four details from your identity card; it takes about two minutes.",
    required: "This account is not standardised yet. Fill in four details from your identity card to go on using it.",
    pending: "Your details have arrived and are being compared. The answer comes by itself; there is nothing to enter again.",
    standardised: "This account is standardised.", exempt: "This account need not be standardised for now.",
    rests: "Nothing to do for now.",
  },
};

/** An official's account is none of letter 125's: then there is no card. */
function gate(standardisation, words) {
  if (!standardisation) return null;
  const { state, form } = standardisation;
  const asks = state === "asked" || state === "required";
  return html`<section class="card ${asks ? "asks" : ""}" data-gate="${state}"><h2>${words.gate}</h2><p>${words[state]}</p>
${asks && html`<p><a class="button" href="${form}">${words.to_form}</a></p>`}</section>`;
}

function home({ claims, words }) {
  const content = html`${gate(claims.standardisation, words)}
<section><h2>${words.services}</h2><ul class="tiles">${SERVICES.map((name) => html`<li>${words[name]}</li>`)}</ul></section>`;
  return { title: `${words.hello}, ${claims.name ?? claims.preferred_username}`, content };
}

serve({ id: "hues", scope: "openid profile standardisation", words, home });
