// The meters: how they fare, and what a person can ask of them.

import { byId, element, light, marksOf, plain, setText } from "./dom.js";
import { clockSeconds, now, power, relative } from "./format.js";
import { get, post } from "./server.js";

const STATES = {
  starting: ["wait", "starting"], running: ["good", "running"],
  paused: ["wait", "paused by a person: no data until it is resumed"],
  backing_off: ["bad", "failed, tried again"], needs_attention: ["bad", "needs you"],
  misconfigured: ["bad", "a setting is wrong"], waiting: ["bad", "its adapter is missing"],
  restarting: ["bad", "its process ended, it is started again"],
  abandoned: ["bad", "hangs: restart the service"], stopped: ["wait", "stopped"],
};
/** In the others the service has nothing to read or to pause. */
const AT_WORK = new Set(["starting", "running", "backing_off", "restarting"]);
/** What came of a request is said for so long. */
const ANSWER_LASTS = 60000;

/** What can be asked: what is said of it at once, and when it has been done. */
const ASKS = {
  read: {
    asked: "Asked: it is read as soon as it allows.",
    outcome(before, row) {
      if (row.readAt !== before.readAt) return `Read at ${clockSeconds(row.readAt)}.`;
      return row.failures > before.failures ? "It could not be read." : null;
    },
  },
  pause: {
    asked: "It will be paused.",
    outcome: (_, row) => (row.state === "paused" ? "Paused: nothing is read or stored until you resume it." : null),
  },
  resume: {
    asked: "It goes on in a moment.",
    outcome: (_, row) => (row.state === "paused" ? null : "Resumed."),
  },
};

export class Meters {
  constructor() {
    this.adapters = new Map();
    this.readings = new Map();
    this.descriptors = new Map();
    /** When the newest reading of each came. */
    this.readAt = new Map();
    this.rows = new Map();
    // "5 minutes ago" grows older by itself.
    setInterval(() => this.show(), 15000);
  }

  /** What adapters say of themselves is not part of the events. */
  async refresh() {
    const { adapters } = await get("/api/v1/adapters");
    for (const adapter of adapters) this.descriptors.set(adapter.instance, adapter.descriptor);
    this.show();
  }

  begin({ adapters, readings }) {
    for (const map of [this.adapters, this.readings, this.readAt]) map.clear();
    for (const reading of readings) this.readings.set(reading.instance, reading);
    this.follow({ adapters });
  }

  follow({ adapters = [], readings = [] }) {
    for (const adapter of adapters) {
      this.adapters.set(adapter.instance, adapter);
      this.noteRead(adapter.instance, Date.parse(adapter.last_success));
    }
    for (const reading of readings) {
      if (reading.is_house) this.endStandIn();
      const isNew = this.readings.get(reading.instance)?.timestamp !== reading.timestamp;
      if (isNew && !reading.stale) this.noteRead(reading.instance, now());
      this.readings.set(reading.instance, reading);
    }
    this.show();
  }

  noteRead(instance, time) {
    if (time > (this.readAt.get(instance) ?? 0)) this.readAt.set(instance, time);
  }

  /** What stood in for a meter says no more that it is over. */
  endStandIn() {
    for (const instance of this.readings.keys()) if (!this.adapters.has(instance)) this.readings.delete(instance);
  }

  show() {
    // What stands in for a meter is none of the adapters.
    const others = [...this.readings.keys()].filter((instance) => !this.adapters.has(instance));
    const instances = [...this.adapters.keys(), ...others];
    for (const [instance, row] of this.rows) {
      if (instances.includes(instance)) continue;
      row.item.remove();
      this.rows.delete(instance);
    }
    const titles = instances.map((instance) => this.descriptors.get(instance)?.name ?? instance);
    const list = byId("meters");
    instances.forEach((instance, index) => {
      if (!this.rows.has(instance)) this.rows.set(instance, new Row(instance));
      const row = this.rows.get(instance);
      const title = titles[index];
      const isAlone = titles.indexOf(title) === titles.lastIndexOf(title);
      row.write({
        adapter: this.adapters.get(instance) ?? { state: "running" }, isAdapter: this.adapters.has(instance),
        reading: this.readings.get(instance), readAt: this.readAt.get(instance), title,
        name: isAlone ? title : `${title} (${instance})`, isPulled: this.descriptors.get(instance)?.delivery === "pull",
      });
      if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] ?? null);
    });
  }
}

/** One meter. Its elements stay while it is there, so that a focus and a reader's place do. */
class Row {
  constructor(instance) {
    this.instance = instance;
    this.light = light("off");
    [this.name, this.marks, this.watts] = ["name", "marks", "watts"].map((part) => element("span", { class: part }));
    [this.note, this.complaint] = ["note", "note bad"].map((kind) => element("p", { class: kind }));
    this.read = this.button("read", "Read", " now");
    this.pause = this.button("pause", "Pause", "");
    this.effect = element("span", { class: "hidden", id: `pausing-${instance}` },
      "Nothing is read or stored while it is paused.");
    this.answer = element("span", { class: "note", role: "status" });
    this.asks = element("div", { class: "asks" }, this.read.target, this.pause.target, this.effect, this.answer);
    this.item = element("li", { tabindex: "-1" },
      element("div", { class: "row" }, this.light,
        element("span", { class: "names" }, this.name, " ", this.marks), this.watts),
      this.note, this.complaint, this.asks);
  }

  /** Its name for a screen reader says which meter it is for. */
  button(action, verb, rest) {
    const of = element("span", { class: "hidden" });
    const word = element("span", {}, verb);
    const target = element("button", { type: "button", class: "quiet" }, word, of, rest);
    const button = { action, target, word, of };
    target.addEventListener("click", () => this.ask(button.action));
    return button;
  }

  write({ adapter, isAdapter, reading, readAt, title, name, isPulled }) {
    Object.assign(this, { state: adapter.state, failures: adapter.failures, readAt });
    const [state, words] = STATES[adapter.state] ?? ["wait", plain(adapter.state)];
    const complaint = adapter.reason ?? adapter.condition
      ?? (adapter.consecutive_failures > 0 ? adapter.last_error : null);
    this.light.className = `light ${complaint && state === "good" ? "wait" : state}`;
    setText(this.name, title);
    this.marks.replaceChildren(...(reading ? marksOf(reading) : []));
    setText(this.watts, reading ? power(reading.total_power_w) : "");
    const notes = [this.instance, words];
    if (readAt) notes.push(`last read ${relative(readAt)}`);
    const isTriedAgain = adapter.state === "backing_off" || adapter.state === "restarting";
    if (isTriedAgain && adapter.next_run) notes.push(`next try ${relative(Date.parse(adapter.next_run))}`);
    setText(this.note, notes.join(" · "));
    setText(this.complaint, complaint ?? "");
    this.writeAsks(adapter.state, isAdapter, isPulled, name);
  }

  writeAsks(state, isAdapter, isPulled, name) {
    const isAtWork = isAdapter && AT_WORK.has(state);
    const isPaused = isAdapter && state === "paused";
    for (const { of } of [this.read, this.pause]) setText(of, ` ${name}`);
    this.pause.action = isPaused ? "resume" : "pause";
    setText(this.pause.word, isPaused ? "Resume" : "Pause");
    for (const [key, text] of [["aria-describedby", this.effect.id], ["title", this.effect.textContent]]) {
      if (isPaused) this.pause.target.removeAttribute(key);
      else this.pause.target.setAttribute(key, text);
    }
    this.offer(this.read, isAtWork && isPulled);
    this.offer(this.pause, isAtWork || isPaused);
    const outcome = this.awaited && ASKS[this.awaited.action].outcome(this.awaited, this);
    if (outcome) this.say(outcome);
  }

  offer({ target }, isOffered) {
    // Who has just pressed it is not sent to the top of the page.
    if (!isOffered && document.activeElement === target) this.item.focus();
    target.hidden = !isOffered;
  }

  async ask(action) {
    if (this.isAsking) return;
    const before = { action, readAt: this.readAt, failures: this.failures };
    this.setAsking(true);
    this.say("Asking …");
    try {
      await post(`/api/v1/adapters/${encodeURIComponent(this.instance)}/${action}`);
      const outcome = ASKS[action].outcome(before, this);
      this.say(outcome ?? ASKS[action].asked);
      if (!outcome) this.awaited = before;
    } catch (error) {
      this.say(error.message, true);
    }
    this.setAsking(false);
  }

  /** Not `disabled`: that would take the focus away from who has pressed it. */
  setAsking(isAsking) {
    this.isAsking = isAsking;
    for (const { target } of [this.read, this.pause]) target.setAttribute("aria-disabled", String(isAsking));
  }

  say(text, isBad = false) {
    this.awaited = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.say(""), ANSWER_LASTS);
    this.answer.classList.toggle("bad", isBad);
    setText(this.answer, text);
  }
}
