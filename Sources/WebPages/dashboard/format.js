// Numbers as the browser's language writes them, times by the clock of the house.

const HOUR = 3600000;
const locale = navigator.languages?.length ? [...navigator.languages] : undefined;
const SPACE = "\u202f";
const NOTHING = "–";

/** The house's clock less that of this device, which may show anything. */
let ahead = 0;
let zone;
let times;

/** What the clock of the house shows, in milliseconds since 1970. */
export const now = () => Date.now() + ahead;

/** The house's clock shows `time` at this moment. @returns whether what is shown by it has to be shown anew. */
export function useClock(time) {
  const before = ahead;
  ahead = Date.parse(time) - Date.now();
  return Math.abs(ahead - before) > 2000;
}

/** The zone of the house; where the browser does not know it, its own. */
export function useZone(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    zone = name;
  } catch {
    zone = undefined;
  }
  const format = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
  times = {
    clock: format({ hour: "numeric", minute: "2-digit" }),
    seconds: format({ hour: "numeric", minute: "2-digit", second: "2-digit" }),
    day: format({ day: "numeric", month: "short" }),
    weekday: format({ weekday: "short", day: "numeric" }),
    moment: format({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }),
    parts: new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
      hourCycle: "h23",
    }),
  };
  return zone;
}
useZone(undefined);

/** The date (2026-06-14), hour and minute that the clock of the house shows. */
export function localTime(milliseconds) {
  const parts = Object.fromEntries(times.parts.formatToParts(milliseconds).map(({ type, value }) => [type, value]));
  return { date: `${parts.year}-${parts.month}-${parts.day}`, hour: Number(parts.hour), minute: Number(parts.minute) };
}

export const clock = (when) => times.clock.format(new Date(when));
export const clockSeconds = (when) => times.seconds.format(new Date(when));
export const day = (when) => times.day.format(new Date(when));
export const weekday = (when) => times.weekday.format(new Date(when));
export const moment = (when) => times.moment.format(new Date(when));

/** A local date without a time: no zone may move it. */
export function calendarDay(date) {
  return new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" })
    .format(new Date(`${date}T12:00:00Z`));
}

/** The clock for today, day and clock for what is longer ago. */
export function since(when) {
  const milliseconds = Date.parse(when);
  return localTime(milliseconds).date === localTime(now()).date ? clock(milliseconds) : moment(milliseconds);
}

/** As `since`, without the day where `begin` has said it. */
export function until(when, begin) {
  const isSameDay = localTime(Date.parse(when)).date === localTime(Date.parse(begin)).date;
  return isSameDay ? clock(when) : since(when);
}

const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });

/** "3 min ago", "in 20 sec". */
export function relative(milliseconds) {
  const seconds = (milliseconds - now()) / 1000;
  if (Math.abs(seconds) < 90) return ago.format(Math.round(seconds), "second");
  if (Math.abs(seconds) < 90 * 60) return ago.format(Math.round(seconds / 60), "minute");
  if (Math.abs(seconds) < 36 * 3600) return ago.format(Math.round(seconds / 3600), "hour");
  return ago.format(Math.round(seconds / 86400), "day");
}

function decimals(digits) {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
const whole = decimals(0);
const one = decimals(1);
const two = decimals(2);

export const number = (value) => whole.format(value);

/** [number, unit]: whole watts, and kilowatts from 1000 W. */
export function powerParts(watts) {
  if (watts === null || watts === undefined) return [NOTHING, ""];
  if (Math.abs(watts) < 999.5) return [whole.format(Math.round(watts) + 0), "W"];
  return [(Math.abs(watts) < 99950 ? two : one).format(watts / 1000), "kW"];
}

export const power = (watts) => powerParts(watts).filter(Boolean).join(SPACE);

export function energyParts(kwh) {
  if (kwh === null || kwh === undefined) return [NOTHING, ""];
  return [(Math.abs(kwh) < 9.995 ? two : Math.abs(kwh) < 999.5 ? one : whole).format(kwh), "kWh"];
}

export const energy = (kwh) => energyParts(kwh).filter(Boolean).join(SPACE);

export function percent(value) {
  if (value === null || value === undefined) return "";
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: value < 9.95 ? 1 : 0 })
    .format(value / 100);
}

export function money(amount, currency, options = {}) {
  if (amount === null || amount === undefined) return NOTHING;
  try {
    return new Intl.NumberFormat(locale, { style: "currency", currency, ...options }).format(amount);
  } catch {
    return `${two.format(amount)}${SPACE}${currency ?? ""}`.trim();
  }
}

export { HOUR, NOTHING };
