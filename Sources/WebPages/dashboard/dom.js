// Elements. Everything that comes from meters and servers goes into the page as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; texts become text. */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Writes only what has changed: a screen reader and a selection stay where they are. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A word of the API as people write it. */
export const plain = (word) => word.replaceAll("_", " ");

/** How something fares, as a dot beside the words that say it. */
export const light = (state) => element("span", { class: `light ${state}`, "aria-hidden": "true" });

/** A word on how far a number may be believed. */
export function mark(kind, text, title) {
  return element("span", { class: `mark ${kind}`, title }, text);
}

/** The marks of a reading, the worst first. */
export function marksOf(reading) {
  const marks = [];
  if (reading.simulated || reading.meter_type === "mock") {
    marks.push(mark("simulated", "Simulated", "Invented by the demonstration meter: no measurement"));
  }
  if (reading.stale) marks.push(mark("stale", "Stale", "The meter has not said anything newer"));
  const quality = QUALITIES[reading.quality];
  if (quality) marks.push(mark(reading.quality, ...quality));
  return marks;
}

export const QUALITIES = {
  estimated: ["Estimated", "Worked out, not measured"],
  backfilled: ["Backfilled", "Read later from the meter's own memory"],
  unknown: ["Unknown quality", "The meter does not say how it got this number"],
};
