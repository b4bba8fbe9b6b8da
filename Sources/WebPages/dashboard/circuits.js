// The circuits of the house, those that draw most first. Each is a button that shows its own history.

import { byId, element, mark, QUALITIES, setText } from "./dom.js";
import { percent, power } from "./format.js";

/** Kinds that supply or sum up, and are no part of what the house uses. */
export const SUPPLIES = new Set(["grid", "solar", "battery", "total"]);
const COLOURS = 8;
const UNMONITORED = "unmonitored";

export class Circuits {
  /** @param choose is told the id and name of a circuit, or null for all of them. */
  constructor(choose) {
    this.choose = choose;
    this.rows = new Map();
    this.colours = new Map();
    this.chosen = null;
    const list = byId("circuits");
    // What one is about to press must not move away.
    this.isHeld = () => list.matches(":hover, :focus-within");
  }

  /** Circuits keep their colour while the page is open, whatever they draw: the first few get one. */
  colour(id) {
    if (id === UNMONITORED) return "rest";
    if (!this.colours.has(id)) {
      this.colours.set(id, this.colours.size < COLOURS ? `c${this.colours.size + 1}` : "more");
    }
    return this.colours.get(id);
  }

  show(reading) {
    const entries = reading.circuits.map((circuit) => ({
      ...circuit, key: `circuit ${circuit.id}`, isSupply: SUPPLIES.has(circuit.kind),
    }));
    if (this.colours.size === 0) {
      // In the meter's order, so that they are the same tomorrow; where they are too few, for those that draw most now.
      const uses = entries.filter((entry) => !entry.isSupply && !entry.parent_id);
      if (uses.length > COLOURS) uses.sort(byPower);
      uses.forEach((entry) => this.colour(entry.id));
    }
    if (reading.unmonitored_power_w !== null && entries.length) {
      const total = reading.consumption_power_w ?? reading.total_power_w;
      entries.push({
        key: UNMONITORED, id: UNMONITORED, name: "Unmonitored", quality: "measured", parent_id: "",
        power_w: reading.unmonitored_power_w, isRest: true,
        percentage: total > 0 ? (reading.unmonitored_power_w / total) * 100 : null,
      });
    }
    byId("circuits-note").hidden = entries.length > 0;
    const names = new Map(entries.map((entry) => [entry.id, entry.name]));
    const largest = Math.max(1, ...entries.filter((entry) => !entry.isSupply).map((entry) => entry.power_w ?? 0));
    const keys = new Set(entries.map((entry) => entry.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.item.remove();
      this.rows.delete(key);
    }
    for (const entry of entries) this.write(entry, names, largest);
    this.order([...entries].sort(byPower));
  }

  order(entries) {
    const list = byId("circuits");
    if (this.isHeld() && list.childElementCount === entries.length) return;
    const items = entries.map((entry) => this.rows.get(entry.key).item);
    if (items.every((item, index) => item === list.children[index])) return;
    list.append(...items);
  }

  write(entry, names, largest) {
    let row = this.rows.get(entry.key);
    if (!row) {
      row = this.make(entry);
      this.rows.set(entry.key, row);
    }
    row.name = entry.name;
    setText(row.label, entry.name || entry.id);
    setText(row.watts, power(entry.power_w));
    setText(row.share, entry.isSupply ? entry.kind : percent(entry.percentage));
    setText(row.inside, entry.parent_id ? `in ${names.get(entry.parent_id) ?? entry.parent_id}` : "");
    const quality = entry.power_w === null ? null : QUALITIES[entry.quality];
    row.marks.replaceChildren(...(quality && entry.quality !== "unknown" ? [mark(entry.quality, ...quality)] : []));
    const length = entry.isSupply ? 0 : Math.max(0, Math.min(1, (entry.power_w ?? 0) / largest));
    row.bar.style.setProperty("inline-size", `${(length * 100).toFixed(1)}%`);
  }

  make(entry) {
    const colour = entry.isSupply || entry.parent_id ? "none" : this.colour(entry.id);
    const [label, inside, marks] = ["name", "inside", "marks"].map((name) => element("span", { class: name }));
    const [watts, share] = ["watts", "share"].map((name) => element("span", { class: name }));
    const bar = element("span", { class: "fill" });
    const button = element("button", { type: "button", "aria-pressed": "false" },
      element("span", { class: "swatch", "aria-hidden": "true" }),
      element("span", { class: "names" }, label, " ", inside, " ", marks), " ", watts, " ", share,
      element("span", { class: "track", "aria-hidden": "true" }, bar));
    const row = { label, inside, marks, watts, share, bar, button, name: entry.name };
    button.addEventListener("click", () => this.pick(this.chosen === entry.id ? null : entry.id));
    row.item = element("li", { class: colour }, button);
    row.id = entry.id;
    return row;
  }

  /** Null: all of them. */
  pick(id) {
    this.chosen = id;
    let name = null;
    for (const row of this.rows.values()) {
      row.button.setAttribute("aria-pressed", String(row.id === id));
      if (row.id === id) name = row.name || id;
    }
    this.choose(id, name);
  }
}

function byPower(a, b) {
  const rank = (entry) => (entry.isSupply ? 2 : entry.isRest ? 1 : 0);
  return rank(a) - rank(b) || (b.power_w ?? -1) - (a.power_w ?? -1) || (a.name < b.name ? -1 : 1);
}
