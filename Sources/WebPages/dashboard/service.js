// What is wrong and what to do, and the alerts: in words.

import { byId, element, light, mark, plain, setText } from "./dom.js";
import { power, since, until } from "./format.js";
import { get } from "./server.js";

const ALERTS = 5;
const KINDS = {
  high_consumption: "High consumption", phantom_load: "Phantom load", no_data: "No data",
  adapter_failing: "A meter is failing",
};

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
    // Those that were told while the list was being fetched.
    this.told = new Map();
  }

  /** The newest ones, and whatever is still on, however long it has been. */
  async refresh() {
    this.told.clear();
    const [newest, raised] = await Promise.all([
      get(`/api/v1/alerts?limit=${ALERTS}`), get("/api/v1/alerts?state=raised")]);
    const all = [...raised.alerts, ...newest.alerts, ...this.told.values()];
    this.known = new Map(all.map((alert) => [alert.id, alert]));
    this.show();
  }

  follow(alert) {
    this.known.set(alert.id, alert);
    this.told.set(alert.id, alert);
    this.show();
  }

  show() {
    const begun = (alert) => Date.parse(alert.started_at);
    const order = (alert) => (alert.state === "raised" ? 0 : 1);
    const all = [...this.known.values()].sort((a, b) => order(a) - order(b) || begun(b) - begun(a));
    const alerts = all.filter((alert, place) => alert.state === "raised" || place < ALERTS);
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
