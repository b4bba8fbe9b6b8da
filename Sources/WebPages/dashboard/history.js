// Power over time: what is asked for, how it becomes lines of the chart, and the same as a table.

import { byId, element, setText } from "./dom.js";
import { clock, day, energy, HOUR, moment, NOTHING, now, power } from "./format.js";
import { SUPPLIES } from "./circuits.js";
import { Plot } from "./plot.js";
import { get } from "./server.js";

const DAY = 24 * HOUR;
const RANGES = {
  hour: { length: HOUR, resolution: "raw", refresh: 15000, words: "the last hour" },
  day: { length: DAY, resolution: "15m", refresh: 60000, words: "the last day" },
  week: { length: 7 * DAY, resolution: "1h", refresh: 300000, words: "the last week" },
  month: { length: 30 * DAY, resolution: "1d", refresh: 600000, words: "the last 30 days", isEnergy: true },
};
/** A house that is younger than this begins with the hour: in a day it would be a hair's breadth. */
const YOUNG = 2 * HOUR;
/** Less than this part of a period measured is said. */
const COMPLETE = 0.995;
/** The newest slot is stored a few minutes after its end. */
const LATENESS = 10 * 60000;

export class History {
  constructor(circuits) {
    this.circuits = circuits;
    this.plot = new Plot(byId("plot"));
    /** Readings since the page was opened: what the last hour ends with. */
    this.live = [];
    this.circuit = null;
    this.range = "day";
    for (const input of document.querySelectorAll('input[name="range"]')) {
      if (input.checked) this.range = input.value;
      input.addEventListener("change", () => {
        this.isChosen = true;
        this.choose({ range: input.value });
      });
    }
    byId("all").addEventListener("click", () => this.circuits.pick(null));
    byId("as-table").addEventListener("toggle", () => this.fillTable());
  }

  choose({ range = this.range, circuit = this.circuit, name = this.name }) {
    Object.assign(this, { range, circuit, name });
    byId("all").hidden = circuit === null;
    setText(byId("history-title"), circuit === null ? "Power over time" : name);
    return this.refresh();
  }

  async refresh() {
    clearTimeout(this.timer);
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    const range = RANGES[this.range];
    this.timer = setTimeout(() => this.refresh(), range.refresh);
    const query = new URLSearchParams({
      resolution: range.resolution, from: new Date(now() - range.length).toISOString(),
    });
    // A circuit may be called like one of the words: those are had with all of them.
    const isWord = ["total", "*"].includes(this.circuit);
    for (const id of this.circuit === null || isWord ? ["total", "*", "unmonitored"] : [this.circuit]) {
      query.append("circuit", id);
    }
    try {
      this.answer = await get(`/api/v1/history?${query}`, request.signal);
      this.error = null;
      if (this.isYoung()) return this.choose({ range: "hour" });
    } catch (error) {
      if (request.signal.aborted) return;
      this.error = error.message;
    }
    this.draw();
  }

  /** Whether all that there is of a day, which nobody has asked for, is an hour or two. */
  isYoung() {
    const [first] = this.answer.periods;
    if (this.isChosen || this.range !== "day" || !first || Date.parse(first.start) < now() - YOUNG) return false;
    document.querySelector('input[name="range"][value="hour"]').checked = true;
    return true;
  }

  /** The chart of the last hour ends with what has not become a slot yet. */
  follow(reading) {
    const begin = now() - HOUR;
    this.live = this.live.filter((old) => Date.parse(old.timestamp) > begin);
    if (reading.stale) return;
    this.live.push(reading);
    if (this.range === "hour" && this.answer) this.draw();
  }

  draw() {
    const range = RANGES[this.range];
    if (!this.answer) return this.say(this.error ?? "Loading …");
    const { series, periods } = this.answer;
    const shown = this.lines(series);
    const points = periods.map((period) => ({
      start: Date.parse(period.start), end: Date.parse(period.end),
      values: shown.map(({ index }) => (range.isEnergy ? period.energy_kwh : period.power_w)[index]),
      period,
    }));
    if (this.range === "hour") points.push(...this.livePoints(shown, points.at(-1)?.end ?? 0));
    this.shown = { series, shown, points, range };
    this.fillTable();
    if (points.length === 0) return this.say(this.error ?? "Nothing is stored for this time yet.");
    this.say(null);
    const end = now();
    const doubts = points.some(({ period }) => isDoubtful(period));
    setText(byId("key"), [
      this.circuit === null && !range.isEnergy && shown.some((line) => line.isTotal) ? "The line is the house's total." : "",
      doubts ? "The dashes below mark times that were estimated, backfilled or measured in part." : "",
      this.error ? `Not up to date: ${this.error}` : "",
    ].filter(Boolean).join(" "));
    byId("key").hidden = byId("key").textContent === "";
    this.plot.show({
      lines: shown, points, isEnergy: range.isEnergy, range: this.range, from: end - range.length, to: end,
      isDoubtful: (point) => isDoubtful(point.period),
      label: this.summary(shown, points, range),
    }).then((problem) => problem && this.say(problem));
  }

  /** The series that are drawn: circuits that are part of no other, what nobody measures, and the total. */
  lines(series) {
    const lines = series.map((one, index) => ({ ...one, index }));
    if (this.circuit !== null) {
      const own = lines.find((line) => line.id === this.circuit && (line.is_circuit || this.circuit === "unmonitored"));
      return own ? [{ ...own, colour: this.circuits.colour(own.id), isAlone: true }] : [];
    }
    const uses = lines.filter((line) => line.is_circuit && !line.parent_id && !SUPPLIES.has(line.kind));
    return [
      ...uses.map((line) => ({ ...line, colour: this.circuits.colour(line.id) })),
      ...lines.filter((line) => line.id === "unmonitored" && !line.is_circuit)
        .map((line) => ({ ...line, colour: "rest" })),
      ...lines.filter((line) => line.id === "total" && !line.is_circuit).map((line) => ({ ...line, isTotal: true })),
    ];
  }

  livePoints(lines, after) {
    const points = [];
    for (const reading of this.live) {
      const end = Date.parse(reading.timestamp);
      const start = points.at(-1)?.end ?? Math.max(after, end - 60000);
      if (end <= start) continue;
      const values = lines.map((line) => {
        if (line.isTotal) return reading.total_power_w;
        if (!line.is_circuit) return reading.unmonitored_power_w;
        return reading.circuits.find((circuit) => circuit.id === line.id)?.power_w ?? null;
      });
      points.push({ start, end, values, period: null, reading });
    }
    return points;
  }

  say(text) {
    setText(byId("plot-note"), text ?? "");
    byId("plot-note").hidden = text === null;
    byId("plot").hidden = text !== null;
  }

  summary(lines, points, range) {
    const main = lines.findIndex((line) => line.isTotal || line.isAlone);
    const values = points.map(({ values: all }) => all[main]).filter((value) => value !== null && value !== undefined);
    const show = range.isEnergy ? energy : power;
    const what = main < 0 ? "Circuits" : lines[main].name;
    if (!values.length) return `${what}, ${range.words}: nothing measured`;
    return `${what}, ${range.words}: ${show(Math.min(...values))} to ${show(Math.max(...values))}, `
      + `at last ${show(values.at(-1))}. The table below has the numbers.`;
  }

  /** Only while it is open. */
  fillTable() {
    if (!byId("as-table").open || !this.shown) return;
    const { shown, points, range } = this.shown;
    const stored = points.filter(({ period }) => period).reverse();
    const show = range.isEnergy ? energy : power;
    const head = element("tr", {}, element("th", { scope: "col" }, range.isEnergy ? "Day" : "From"),
      ...shown.map((line) => element("th", { scope: "col" }, line.name || line.id)),
      element("th", { scope: "col" }, "Data"));
    const rows = stored.map(({ start, values, period }) => element("tr", {},
      element("th", { scope: "row" }, range.isEnergy ? day(start) : this.range === "hour" ? clock(start) : moment(start)),
      ...values.map((value) => element("td", {}, value === null ? NOTHING : show(value))),
      element("td", { class: "data" }, doubt(period) || "measured")));
    byId("history-table").replaceChildren(
      element("caption", {}, `${range.isEnergy ? "Energy" : "Mean power"} of ${range.words}, the newest first`),
      element("thead", {}, head), element("tbody", {}, ...rows));
  }
}

const isDoubtful = (period) => period !== null && doubt(period) !== "";

/** In words, empty where everything was measured. The first series stands for the period. */
function doubt(period) {
  const words = new Set(period.quality.filter((quality) => quality === "estimated" || quality === "backfilled"));
  const isRunning = Date.parse(period.end) > now() - LATENESS;
  const coverage = Math.max(...period.coverage.filter(Number.isFinite), 0);
  if (!isRunning && coverage < COMPLETE) words.add(`${Math.floor(coverage * 100)} % of the time`);
  return [...words].join(", ");
}
