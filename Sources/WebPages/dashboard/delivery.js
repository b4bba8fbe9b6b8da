// The way to InfluxDB: how it fares, and the lines that the server would not take.

import { byId, element, light, plain, setText } from "./dom.js";
import { number, since } from "./format.js";
import { get } from "./server.js";

/** Rejected lines that are shown. */
const LINES = 10;
const STATES = {
  off: ["off", "Nothing is delivered: no server is set. The service keeps everything itself."],
  idle: ["good", "Everything is delivered"], delivering: ["good", "Delivering"],
  retrying: ["bad", "The server does not take the data; nothing is lost, it is tried again"],
  unauthorized: ["bad", "The server refuses the token"], missing_bucket: ["bad", "The server has no such bucket"],
  misconfigured: ["bad", "A setting of the delivery is wrong"],
  unreadable: ["bad", "What waits cannot be read from the store"],
};

export class Delivery {
  constructor() {
    this.rejected = 0;
    byId("rejected").addEventListener("toggle", () => this.fill());
  }

  show(delivery) {
    const [state, words] = STATES[delivery.state] ?? ["wait", plain(delivery.state)];
    const where = delivery.destination ? `Delivery to ${delivery.destination}` : "Delivery";
    const notes = [words];
    if (delivery.backlog.points > 0) {
      notes.push(`${lines(delivery.backlog.points)} ${delivery.backlog.points === 1 ? "waits" : "wait"}, `
        + `the oldest since ${since(delivery.backlog.oldest)}`);
    }
    const complaint = state === "bad" && delivery.last_answer ? `The last answer: ${delivery.last_answer}` : null;
    byId("delivery").replaceChildren(
      element("div", { class: "row" }, light(state), element("span", { class: "name" }, where)),
      element("p", { class: "note" }, notes.join(" · ")),
      ...(complaint ? [element("p", { class: "note bad" }, complaint)] : []),
      ...(delivery.todo ? [element("p", { class: "note" }, `What to do: ${delivery.todo}`)] : []));
    this.count(delivery.rejected);
  }

  count(rejected) {
    if (rejected === this.rejected) return;
    this.rejected = rejected;
    byId("rejected").hidden = rejected === 0;
    setText(byId("rejected-title"), `The server has refused ${lines(rejected)}`);
    this.fill();
  }

  /** Only while it is open. */
  async fill() {
    this.request?.abort();
    if (!byId("rejected").open || this.rejected === 0) return;
    const request = new AbortController();
    this.request = request;
    try {
      const { rejected_lines: rejected } = await get(`/api/v1/delivery?limit=${LINES}`, request.signal);
      byId("rejected-list").replaceChildren(...rejected.map(refusal));
      const part = rejected.length < this.rejected ? `The newest ${number(rejected.length)}. ` : "";
      setText(byId("rejected-note"), `${part}Once the cause is gone, smart-meter outbox replay sends them again.`);
    } catch (error) {
      if (!request.signal.aborted) setText(byId("rejected-note"), error.message);
    }
  }
}

const lines = (count) => `${number(count)} ${count === 1 ? "line" : "lines"}`;

function refusal({ at, line, reason }) {
  return element("li", {},
    element("p", {}, element("span", { class: "note" }, since(at)), " ", reason), element("code", {}, line));
}
