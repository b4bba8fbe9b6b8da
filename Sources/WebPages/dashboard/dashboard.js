// The page: what comes over the stream of events goes to the parts of the page; what changes slowly they fetch.

import { byId, setText } from "./dashboard/dom.js";
import { clockSeconds, now, useClock, useZone } from "./dashboard/format.js";
import { Events, forgetToken, hasToken, useToken } from "./dashboard/server.js";
import { showNow, Today } from "./dashboard/now.js";
import { Circuits } from "./dashboard/circuits.js";
import { History } from "./dashboard/history.js";
import { Nights } from "./dashboard/nights.js";
import { Alerts, showProblems } from "./dashboard/service.js";
import { Meters } from "./dashboard/meters.js";
import { Delivery } from "./dashboard/delivery.js";

const circuits = new Circuits((circuit, name) => history.choose({ circuit, name }));
const history = new History(circuits);
const today = new Today();
const nights = new Nights();
const alerts = new Alerts();
const meters = new Meters();
const delivery = new Delivery();
let heard = null;
const FIRST = "first-numbers";

/** The parts that are fetched; one that fails leaves what it showed, and comes again with the next snapshot. */
function refresh() {
  for (const part of [history, today, nights, alerts, meters]) part.refresh().catch(() => {});
}

function showReading(reading) {
  if (!reading.is_house) return;
  showNow(reading);
  // For whoever measures how fast the page is.
  if (!performance.getEntriesByName(FIRST).length) performance.mark(FIRST);
  circuits.show(reading);
  history.follow(reading);
  today.follow(reading);
}

const show = {
  snapshot(snapshot) {
    useClock(snapshot.time);
    const zone = useZone(snapshot.time_zone);
    setText(byId("version"), snapshot.version);
    setText(byId("zone"), zone ? `· times of ${zone.replaceAll("_", " ")}` : "· times of this device");
    byId("access").hidden = true;
    byId("house").hidden = false;
    snapshot.readings.forEach(showReading);
    if (!snapshot.readings.some((reading) => reading.is_house)) setText(byId("asof"), "Waiting for the first reading …");
    alerts.known.clear();
    snapshot.alerts.forEach((alert) => alerts.follow(alert));
    meters.begin(snapshot);
    delivery.show(snapshot.delivery);
    showProblems(snapshot.health);
    refresh();
  },
  reading(reading) {
    showReading(reading);
    meters.follow({ readings: [reading] });
  },
  alert: (alert) => alerts.follow(alert),
  adapter: (adapter) => meters.follow({ adapters: [adapter] }),
  delivery: (news) => delivery.show(news),
  health: showProblems,
  clock({ time }) {
    if (useClock(time)) refresh();
  },
};

function setState(state, text) {
  byId("live").dataset.state = state;
  setText(byId("live"), text);
  byId("house").classList.toggle("lost", state !== "live");
}

const events = new Events({
  event(type, data) {
    show[type]?.(data);
    heard = now();
  },
  live: () => setState("live", "Live"),
  lost(why) {
    const last = heard === null ? "" : `, last heard ${clockSeconds(heard)}`;
    setState("lost", `Not live: ${why}${last}. Trying again …`);
  },
  refused() {
    setState("refused", "Not live: a token is needed");
    setText(byId("access-error"), hasToken() ? "The service does not accept this token." : "");
    forgetToken();
    byId("house").hidden = true;
    byId("problems").hidden = true;
    byId("access").hidden = false;
    byId("token").focus();
  },
});

byId("access-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken(byId("token").value.trim(), byId("remember").checked);
  byId("token").value = "";
  events.again();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && circuits.chosen !== null) circuits.pick(null);
});
events.read();
