// Phantom load: what the house draws at night, and which circuits are behind it.

import { byId, element, setText } from "./dom.js";
import { calendarDay, energy, money, power } from "./format.js";
import { get } from "./server.js";

const NIGHTS = 7;
const CULPRITS = 3;
const REFRESH = 15 * 60000;

export class Nights {
  async refresh() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh().catch(() => {}), REFRESH);
    const { nights, threshold_w: threshold, currency } = await get(`/api/v1/phantom?nights=${NIGHTS}`);
    const known = nights.filter((night) => night.power_w !== null);
    setText(byId("nights-sum"), summary(known, threshold, currency));
    const largest = Math.max(threshold, ...known.map((night) => night.power_w));
    byId("nights").replaceChildren(...nights.map((night) => line(night, largest, night === known[0] ? currency : null)));
  }
}

function summary(known, threshold, currency) {
  const [newest] = known;
  if (!newest) return "No night has been measured yet.";
  const cost = newest.cost_per_year === null
    ? "" : `, ${money(newest.cost_per_year, currency, { maximumFractionDigits: 0 })}`;
  const state = newest.is_high ? `above your limit of ${power(threshold)}` : `within your limit of ${power(threshold)}`;
  return `${power(newest.power_w)} in the last night, ${state}. In a year that is ${energy(newest.kwh_per_year)}${cost}.`;
}

/** With what the culprits cost, where a currency is given. */
function line(night, largest, currency) {
  const fill = element("span", { class: night.is_high ? "fill high" : "fill" });
  const length = Math.max(0, Math.min(1, (night.power_w ?? 0) / largest));
  fill.style.setProperty("inline-size", `${(length * 100).toFixed(1)}%`);
  const item = element("li", {}, element("div", { class: "row" },
    element("span", { class: "name" }, calendarDay(night.date)),
    element("span", { class: "track", "aria-hidden": "true" }, fill),
    element("span", { class: "watts" }, power(night.power_w)),
    night.is_high ? element("span", { class: "hidden" }, "above the limit") : null));
  if (night.power_w === null) {
    item.append(element("p", { class: "note" }, `Not known: ${night.reason ?? "not measured"}`));
    return item;
  }
  const culprits = night.circuits.slice(0, CULPRITS).map((circuit) => {
    const cost = circuit.cost_per_year === null || currency === null
      ? "" : ` (${money(circuit.cost_per_year, currency, { maximumFractionDigits: 0 })} a year)`;
    return `${circuit.name || circuit.id} ${power(circuit.power_w)}${cost}`;
  });
  if (culprits.length) item.append(element("p", { class: "note" }, culprits.join(" · ")));
  return item;
}
