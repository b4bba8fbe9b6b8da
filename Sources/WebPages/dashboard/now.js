// What the house uses now, and has used today.

import { byId, element, marksOf, setText } from "./dom.js";
import { clockSeconds, energyParts, localTime, money, now, percent, power, powerParts } from "./format.js";
import { get } from "./server.js";

const REFRESH = 60000;
/** The newest slot is stored a few minutes after its end: that little is not missing. */
const LATENESS = 15 * 60000;
const COMPLETE = 0.99;

/** The readings of the house. */
export function showNow(reading) {
  const isGrid = reading.total_is === "grid";
  setText(byId("now-title"), isGrid ? "From the grid now" : "Using now");
  const [number, unit] = powerParts(reading.total_power_w);
  setText(byId("power"), number);
  setText(byId("power-unit"), unit);
  document.title = `${number} ${unit} · smart-meter`;
  showDirection(reading.grid_power_w);
  showFlows(reading);
  byId("marks").replaceChildren(...marksOf(reading));
  setText(byId("asof"), `as of ${clockSeconds(reading.timestamp)}`);
  byId("house").classList.toggle("stale", reading.stale);
}

function showDirection(watts) {
  const target = byId("direction");
  const [state, text] =
    watts === null ? ["unknown", "Import and export are not measured"]
      : watts < -0.5 ? ["export", `Exporting ${power(-watts)} to the grid`]
        : watts > 0.5 ? ["import", `Importing ${power(watts)} from the grid`]
          : ["balance", "Neither importing nor exporting"];
  target.dataset.state = state;
  setText(target, text);
}

function showFlows(reading) {
  const flows = [
    ["Solar", reading.solar_power_w, ""],
    ["Battery", reading.battery_power_w, reading.battery_power_w < 0 ? "charging" : "discharging"],
    ["Consumption", reading.total_is === "grid" ? reading.consumption_power_w : null, ""],
  ].filter(([, watts]) => watts !== null);
  byId("flows").replaceChildren(...flows.map(([name, watts, word]) => element("div", {},
    element("dt", {}, name),
    element("dd", {}, power(Math.abs(watts)), word && watts !== 0 ? element("small", {}, ` ${word}`) : null))));
}

/** The part of the day so far that was measured. */
function measuredPart({ start, end, coverage }) {
  const [first, last] = [Date.parse(start), Date.parse(end)];
  return (coverage * (last - first)) / Math.max(1, Math.min(now() - LATENESS, last) - first);
}

/** How much of what was used the house has not bought. */
function showOrigin(today) {
  const isKnown = today && today.production_kwh !== null && today.import_kwh !== null && today.consumption_kwh > 0.005;
  byId("origin").hidden = !isKnown;
  if (!isKnown) return;
  // What charged a battery from the grid yesterday may be used today.
  const own = Math.max(0, Math.min(1, 1 - today.import_kwh / today.consumption_kwh));
  setText(byId("origin-text"), `${percent(own * 100)} of the consumption from own sources, ${percent(100 - own * 100)} from the grid`);
  byId("origin-own").style.setProperty("inline-size", `${(own * 100).toFixed(1)}%`);
}

/** The energies of the day; the consumption goes on with each reading. */
export class Today {
  constructor() {
    this.tiles = new Map();
  }

  async refresh() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh().catch(() => {}), REFRESH);
    const from = new Date(now() - 86400000).toISOString();
    const { periods, currency } = await get(`/api/v1/energy?resolution=1d&from=${encodeURIComponent(from)}`);
    const moment = now();
    const today = periods.find((period) => Date.parse(period.start) <= moment && moment < Date.parse(period.end));
    const yesterday = periods.find((period) => period !== today && Date.parse(period.end) <= moment);
    this.show(today, yesterday, currency);
  }

  show(today, yesterday, currency) {
    const kwh = (key) => [energyParts(today?.[key]), yesterday?.[key] === undefined ? null
      : energyParts(yesterday[key]).filter(Boolean).join("\u202f")];
    this.set("consumption", "Consumption", ...kwh("consumption_kwh"), true);
    this.set("import", "Import", ...kwh("import_kwh"), today?.import_kwh != null);
    this.set("export", "Export", ...kwh("export_kwh"), today?.export_kwh != null);
    this.set("production", "Production", ...kwh("production_kwh"), today?.production_kwh != null);
    if (this.live) this.follow(this.live);
    this.set("cost", "Cost", [money(today?.cost, currency), ""],
      yesterday && yesterday.cost !== null ? money(yesterday.cost, currency) : null, today?.cost != null);
    showOrigin(today);
    const notes = [];
    const part = today ? measuredPart(today) : 1;
    if (part < COMPLETE) notes.push(`${percent(Math.floor(part * 100))} of the day so far was measured`);
    if (today?.unpriced_kwh > 0.005) notes.push(`${energyParts(today.unpriced_kwh).join("\u202f")} without a price`);
    setText(byId("today-note"), notes.join(" · "));
  }

  /** A reading's own count of the day, which is newer than the last slot: it stays when the slots are fetched. */
  follow(reading) {
    this.live = null;
    if (reading.daily_kwh === null || localTime(Date.parse(reading.timestamp)).date !== localTime(now()).date) return;
    this.live = reading;
    const tile = this.tiles.get(reading.total_is === "grid" ? "import" : "consumption");
    if (tile) this.write(tile, energyParts(reading.daily_kwh));
    else this.set("consumption", "Consumption", energyParts(reading.daily_kwh), null, reading.total_is !== "grid");
  }

  set(key, name, parts, before, isShown) {
    let tile = this.tiles.get(key);
    if (!tile) {
      const [value, unit, note] = [element("span"), element("span", { class: "unit" }), element("dd", { class: "note" })];
      const box = element("div", { class: key }, element("dt", {}, name), element("dd", {}, value, " ", unit), note);
      tile = { value, unit, note, box };
      this.tiles.set(key, tile);
      byId("today").append(box);
    }
    tile.box.hidden = !isShown;
    this.write(tile, parts);
    setText(tile.note, before ? `yesterday ${before}` : "");
  }

  write(tile, [value, unit]) {
    setText(tile.value, value);
    setText(tile.unit, unit);
  }
}
