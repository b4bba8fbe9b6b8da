// What is wrong and what to do; alerts, meters, delivery: in words.

import { byId, element, mark, marksOf, setText } from "./dom.js";
import { number, power, relative, since, until } from "./format.js";
import { get } from "./server.js";

const ALERTS = 5;
const KINDS = {
  high_consumption: "High consumption", phantom_load: "Phantom load", no_data: "No data",
  adapter_failing: "A meter is failing",
};
const METERS = {
  starting: ["wait", "starting"], running: ["good", "running"], paused: ["wait", "paused by a person"],
  backing_off: ["bad", "failed, tried again"], needs_attention: ["bad", "needs you"],
  misconfigured: ["bad", "a setting is wrong"], waiting: ["bad", "its adapter is missing"],
  restarting: ["bad", "its process ended, it is started again"],
  abandoned: ["bad", "hangs: restart the service"], stopped: ["wait", "stopped"],
};
const DELIVERY = {
  off: ["off", "Nothing is delivered: no server is set. The service keeps everything itself."],
  idle: ["good", "Everything is delivered"], delivering: ["good", "Delivering"],
  retrying: ["bad", "The server does not take the data; nothing is lost, it is tried again"],
  unauthorized: ["bad", "The server refuses the token"], missing_bucket: ["bad", "The server has no such bucket"],
  misconfigured: ["bad", "A setting of the delivery is wrong"],
  unreadable: ["bad", "What waits cannot be read from the store"],
};

const plain = (word) => word.replaceAll("_", " ");
const light = (state) => element("span", { class: `light ${state}`, "aria-hidden": "true" });

/** What `/health` complains about. */
export function showProblems({ status, problems }) {
  byId("problems").hidden = problems.length === 0;
  byId("problems").dataset.status = status;
  setText(byId("problems-title"), problems.length === 0 ? ""
    : status === "unhealthy" ? "The service does not do its work" : "Something needs your attention");
  byId("problems-list").replaceChildren(...problems.map((problem) => element("li", { class: problem.severity },
    element("p", {}, element("strong", {}, sentence(problem.what)),
      problem.since ? ` Since ${since(problem.since)}.` : ""),
    problem.todo ? element("p", { class: "todo" }, `What to do: ${problem.todo}.`) : null)));
}

/** A name keeps its own first letter. */
function sentence(text) {
  const words = text.replace(/[.\s]+$/, "");
  const isName = /^[^ ]*[_@:/]/.test(words) || / (is|are) paused| is (failing|restarting)| needs you/.test(words);
  return `${isName ? words : words.charAt(0).toUpperCase() + words.slice(1)}.`;
}

export class Alerts {
  constructor() {
    this.known = new Map();
  }

  async refresh() {
    const { alerts } = await get(`/api/v1/alerts?limit=${ALERTS}`);
    this.known = new Map(alerts.map((alert) => [alert.id, alert]));
    this.show();
  }

  follow(alert) {
    this.known.set(alert.id, alert);
    this.show();
  }

  show() {
    const begun = (alert) => Date.parse(alert.started_at);
    const order = (alert) => (alert.state === "raised" ? 0 : 1);
    const alerts = [...this.known.values()].sort((a, b) => order(a) - order(b) || begun(b) - begun(a)).slice(0, ALERTS);
    byId("alerts").replaceChildren(...(alerts.length ? alerts.map(line)
      : [element("li", { class: "empty" }, "There has been none.")]));
  }
}

function line(alert) {
  const peak = alert.peak_w === null ? "" : `peak ${power(alert.peak_w)}, `;
  const time = alert.state === "raised" ? `Since ${since(alert.started_at)}`
    : `${since(alert.started_at)} to ${until(alert.ended_at, alert.started_at)}`;
  return element("li", { class: alert.state },
    element("div", { class: "row" }, light(alert.state === "raised" ? "bad" : "off"),
      element("span", { class: "name" }, KINDS[alert.kind] ?? plain(alert.kind)),
      alert.state === "raised" ? mark("high", "Now") : null),
    element("p", { class: "note" }, `${time}: ${peak}${alert.detail}`));
}

export class Meters {
  constructor() {
    this.adapters = new Map();
    this.readings = new Map();
    this.titles = new Map();
    // "5 minutes ago" grows older by itself.
    setInterval(() => this.show(), 15000);
  }

  /** The names that adapters give themselves are not part of the events. */
  async refresh() {
    const { adapters } = await get("/api/v1/adapters");
    for (const adapter of adapters) this.titles.set(adapter.instance, adapter.descriptor?.name);
    this.show();
  }

  begin({ adapters, readings }) {
    this.adapters.clear();
    this.readings.clear();
    this.follow({ adapters, readings });
  }

  follow({ adapters = [], readings = [] }) {
    for (const adapter of adapters) this.adapters.set(adapter.instance, adapter);
    for (const reading of readings) {
      if (reading.is_house) this.endStandIn();
      this.readings.set(reading.instance, reading);
    }
    this.show();
  }

  /** What stood in for a meter says no more that it is over. */
  endStandIn() {
    for (const instance of this.readings.keys()) if (!this.adapters.has(instance)) this.readings.delete(instance);
  }

  show() {
    const adapters = [...this.adapters.values()];
    // What stands in for a meter is none of the adapters.
    const others = [...this.readings.values()].filter((reading) => !this.adapters.has(reading.instance));
    byId("meters").replaceChildren(...adapters.map((one) => this.meter(one, this.readings.get(one.instance))),
      ...others.map((reading) => this.meter({ instance: reading.instance, state: "running" }, reading)));
  }

  meter(adapter, reading) {
    const [state, words] = METERS[adapter.state] ?? ["wait", plain(adapter.state)];
    const complaint = adapter.reason ?? adapter.condition;
    const item = element("li", {}, element("div", { class: "row" }, light(complaint && state === "good" ? "wait" : state),
      element("span", { class: "name" }, this.titles.get(adapter.instance) ?? adapter.instance),
      ...(reading ? marksOf(reading) : []),
      element("span", { class: "watts" }, reading ? power(reading.total_power_w) : "")));
    const notes = [adapter.instance, words];
    if (adapter.last_success) notes.push(`last read ${relative(adapter.last_success)}`);
    const isTriedAgain = adapter.state === "backing_off" || adapter.state === "restarting";
    if (isTriedAgain && adapter.next_run) notes.push(`next try ${relative(adapter.next_run)}`);
    item.append(element("p", { class: "note" }, notes.join(" · ")));
    if (complaint) item.append(element("p", { class: "note bad" }, complaint));
    else if (adapter.consecutive_failures > 0 && adapter.last_error) {
      item.append(element("p", { class: "note bad" }, adapter.last_error));
    }
    return item;
  }
}

export function showDelivery(delivery) {
  const [state, words] = DELIVERY[delivery.state] ?? ["wait", plain(delivery.state)];
  const where = delivery.destination ? `Delivery to ${delivery.destination}` : "Delivery";
  const notes = [words];
  if (delivery.backlog.points > 0) {
    notes.push(`${number(delivery.backlog.points)} lines wait, the oldest since ${since(delivery.backlog.oldest)}`);
  }
  if (delivery.rejected > 0) notes.push(`${number(delivery.rejected)} lines were rejected`);
  const complaint = state === "bad" && delivery.last_answer ? `The last answer: ${delivery.last_answer}` : null;
  byId("delivery").replaceChildren(
    element("div", { class: "row" }, light(state), element("span", { class: "name" }, where)),
    element("p", { class: "note" }, notes.join(" · ")),
    ...(complaint ? [element("p", { class: "note bad" }, complaint)] : []),
    ...(delivery.todo ? [element("p", { class: "note" }, `What to do: ${delivery.todo}`)] : []));
}
