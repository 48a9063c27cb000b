// The two systems beside the demo's server, for as long as it runs. Usage: node demo.mjs NGOMON DATA ISSUER

import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { endWithParent, freePort, start } from "./start.mjs";

const [program, data, issuer] = process.argv.slice(2);
const ngomon = (...words) => execFileSync(program, [...words, "--data", data], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const PORTS = { hues: 8081, documents: 8082 };

const locale = process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG || "";
const WORDS = {
  vi: {
    lead: "Hai hệ thống đăng nhập bằng tài khoản của tỉnh:", head: ["Địa chỉ", "Hệ thống", "Đăng nhập bằng"],
    hues: "ứng dụng Hue-S của người dân", documents: "quản lý văn bản của cán bộ",
    end: "Khóa một trong các tài khoản này tại quầy: cả hai hệ thống kết thúc phiên ngay.",
  },
  en: {
    lead: "Two systems sign people in through the province's accounts:", head: ["Address", "System", "As whom"],
    hues: "Hue-S, the citizens' application", documents: "document management for officials",
    end: "Hold one of these accounts at the counter: both systems end its session at once.",
  },
}[locale.startsWith("en") ? "en" : "vi"];
const WHO = { hues: "hues016 / Hue-HS016", documents: "canbo001 / Hue-CV001" };

// The server is our parent: when it is gone, so are we, and the systems with us.
endWithParent();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

const isOpen = () => fetch(`${issuer}/.well-known/openid-configuration`).then(({ ok }) => ok, () => false);
while (!(await isOpen())) await setTimeout(200);

const lines = [WORDS.head];
for (const [id, wished] of Object.entries(PORTS)) {
  const { url } = await start(id, { ngomon, issuer, port: await freePort(wished) });
  lines.push([url, WORDS[id], WHO[id]]);
}
const widths = WORDS.head.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
console.log(`\n${WORDS.lead}\n`);
for (const line of lines) console.log(line.map((cell, at) => cell.padEnd(widths[at])).join("  ").trimEnd());
console.log(`\n${WORDS.end}`);
