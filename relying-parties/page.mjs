// What every page of the two systems is made of: the frame, the words that both use, and a template that escapes.

class Markup {
  constructor(text) {
    this.text = text;
  }
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function written(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(written).join("");
  if (value === null || value === undefined || value === false) return "";
  return String(value).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);
}

/** A piece of a page. What stands in it is text, unless it is such a piece itself. */
export const html = (parts, ...values) =>
  new Markup(parts.map((part, at) => part + written(values[at])).join(""));

const WORDS = {
  vi: {
    other: "English", skip: "Đến nội dung chính", enter: "Đăng nhập bằng tài khoản của tỉnh", again: "Đăng nhập lại", out: "Đăng xuất",
    refresh: "Cập nhật thông tin", refreshed: "Đã cập nhật thông tin.", province: "Thành phố Huế", note: "Minh họa",
    made_up: "Hệ thống minh họa: mọi người và mọi nội dung ở đây là hư cấu.",
    front: "Đăng nhập để tiếp tục",
    ended: "Phiên làm việc đã kết thúc",
    ended_text:
      "Hệ thống tài khoản của tỉnh đã kết thúc phiên này: đã đăng xuất ở nơi khác, hoặc tài khoản đang bị khóa. Đăng nhập lại để tiếp tục, hoặc để xem lý do.",
    signed_out: "Đã đăng xuất", signed_out_text: "Đã đăng xuất khỏi hệ thống này và khỏi tài khoản của tỉnh.",
    refused: "Chưa đăng nhập được",
    refused_text: "Hệ thống tài khoản của tỉnh trả lời: tài khoản này không dùng được ở đây, hoặc lần đăng nhập đã bị dừng.",
    stale_text: "Lần đăng nhập này đã quá lâu hoặc bắt đầu ở trình duyệt khác. Mời đăng nhập lại.",
    away: "Hệ thống tài khoản chưa trả lời", away_text: "Hệ thống tài khoản của tỉnh đang bận. Mời thử lại sau ít phút.",
    missing: "Không có trang này", missing_text: "Địa chỉ này không có ở đây. Mời trở về trang đầu.", home: "Trang đầu",
  },
  en: {
    other: "Tiếng Việt", skip: "Skip to main content", enter: "Sign in with the province's account", again: "Sign in again",
    out: "Sign out", refresh: "Bring up to date", refreshed: "Your details are up to date.", province: "City of Huế",
    note: "Demonstration", made_up: "A demonstration: everybody and everything here is made up.",
    front: "Sign in to continue",
    ended: "Your session has ended",
    ended_text:
      "The province's account system ended it: you signed out elsewhere, or the account is held. Sign in again to go on, or to see why.",
    signed_out: "Signed out", signed_out_text: "You are signed out of this system and of the province's account.",
    refused: "You are not signed in",
    refused_text: "The province's account system says that this account cannot be used here, or the sign-in was stopped.",
    stale_text: "That sign-in took too long, or began in another browser. Sign in again.",
    away: "The account system does not answer", away_text: "The province's account system is busy. Try again in a few minutes.",
    missing: "There is no such page", missing_text: "Nothing is at this address. Go back to the first page.", home: "First page",
  },
};

export const LANGUAGES = Object.keys(WORDS);

/** The words of a language: those of both systems, and the system's own. */
export const wordsOf = (system, language) => ({ ...WORDS[language], ...system.words[language] });

/** A whole page. `live`: it is somebody's session, and notices its end. */
export function page(system, { language, words, title, content, live = false }) {
  const other = LANGUAGES.find((tag) => tag !== language);
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${words.name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
${live && html`<script type="module" src="/live.js"></script>`}
</head>
<body class="${system.id}">
<a class="skip" href="#main">${words.skip}</a>
<header><div class="wide bar">
<p class="name">${words.name} <small>${words.province}</small></p>
<nav aria-label="${words.other}"><a href="/language/${other}" lang="${other}" hreflang="${other}">${words.other}</a></nav>
</div></header>
<aside class="note" aria-label="${words.note}"><div class="wide">${words.made_up}</div></aside>
<main id="main" class="wide">
<h1>${title}</h1>
${content}
</main>
</body></html>`.text;
}
