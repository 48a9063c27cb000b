// The report page while one looks: figures, bars and chart follow the server. Without this file the page is whole, as it came.
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([AriaComponent, BarChart, CanvasRenderer, GridComponent, LegendComponent, LineChart, TooltipComponent]);

const places = new Map([...document.querySelectorAll("[data-live]")].map((place) => [place.dataset.live, place]));
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const number = new Intl.NumberFormat(document.documentElement.lang);
// Whoever does not see the page is told now and then, not each second.
const SAID_EVERY = 10_000;

const drawing = JSON.parse(document.getElementById("chart").textContent);
const canvas = document.querySelector(".chart");
canvas.hidden = false;
const chart = init(canvas);

function draw(days) {
  const { fontFamily } = getComputedStyle(document.querySelector("h1"));
  const font = { fontFamily, fontSize: 14, color: "#1d1d1b" };
  const amount = (n) => number.format(n);
  const axis = { type: "value", minInterval: 1, axisLabel: { ...font, formatter: amount } };
  const series = (name, at, more) => ({ name, data: days.map((day) => day.figures[at]), ...more });
  chart.setOption({
    animation: !still,
    animationDuration: 300,
    animationDurationUpdate: 300,
    aria: { enabled: true, label: { description: drawing.title } },
    textStyle: font,
    grid: { left: 8, right: 8, top: 72, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, textStyle: font },
    // Text on the canvas: a box of HTML would carry styles of its own, which the page does not allow.
    tooltip: { trigger: "axis", renderMode: "richText", textStyle: font, valueFormatter: amount },
    xAxis: { type: "category", data: days.map((day) => day.day), axisLabel: { ...font, hideOverlap: true } },
    yAxis: [axis, { ...axis, splitLine: { show: false } }],
    series: [
      series(drawing.citizens, 1, { type: "bar", stack: "day", color: "#7a1f1f", barMaxWidth: 40 }),
      series(drawing.officials, 0, { type: "bar", stack: "day", color: "#c98a00", barMaxWidth: 40 }),
      series(drawing.sum, 3, { type: "line", yAxisIndex: 1, color: "#00703c", symbolSize: 8, lineStyle: { width: 3 } }),
    ],
  });
}

draw(drawing.days);
addEventListener("resize", () => chart.resize());

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function days(lines) {
  const rows = lines.toReversed().map(({ day, texts }) => {
    const row = element("tr", "govuk-table__row", "");
    const head = element("th", "govuk-table__header", day);
    head.scope = "row";
    const cells = texts.map((text) => element("td", "govuk-table__cell govuk-table__cell--numeric", text));
    row.append(head, ...cells);
    return row;
  });
  places.get("days").replaceChildren(...rows);
  draw(lines);
}

function alerts(texts) {
  const list = places.get("alerts");
  list.replaceChildren(...texts.map((text) => element("li", "", text)));
  list.parentElement.hidden = texts.length === 0;
}

let unsaid = {};
setInterval(() => {
  const said = Object.entries(unsaid).map(([tile, n]) => `${tile}: ${n}`);
  if (said.length > 0) places.get("said").textContent = said.join("; ");
  unsaid = {};
}, SAID_EVERY);

const source = new EventSource(document.querySelector("[data-source]").dataset.source);
const state = places.get("state");
source.onopen = () => (state.textContent = state.dataset.on);
// It tries again by itself after a broken line, and not after an answer that is no stream: the session is over.
source.onerror = () => (state.textContent = state.dataset.off);
source.onmessage = ({ data }) => {
  const news = JSON.parse(data);
  places.get("at").textContent = news.at;
  for (const [key, text] of Object.entries(news.texts)) if (places.has(key)) places.get(key).textContent = text;
  for (const [key, share] of Object.entries(news.bars)) if (places.has(key)) places.get(key).value = share;
  if (news.alerts) alerts(news.alerts);
  if (news.days) days(news.days);
  Object.assign(unsaid, news.said);
};
