// Numbers and times as people read them. Everything is in the reader's own time zone; the exact moment is in titles.

const number = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const clock = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
const day = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

export const none = "–";

/** 1,234,567 */
export function count(value) {
  return value == null ? none : number.format(value);
}

/** Four digits that count: 0.01234, 12.34, 1,234. */
export function figure(value) {
  if (value == null || Number.isNaN(value)) return none;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) || Math.abs(value) >= 10_000) return number.format(value);
  return String(Number(value.toPrecision(4)));
}

export function rate(value) {
  if (value == null) return none;
  return value < 10 && value > 0 ? value.toFixed(1) : number.format(value);
}

export function percent(share, digits = 1) {
  return share == null ? none : `${(share * 100).toFixed(digits)} %`;
}

/** 950 ms, 4.2 s, 12 min, 3.5 h, 8 d */
export function duration(milliseconds) {
  if (milliseconds == null) return none;
  const size = Math.abs(milliseconds);
  if (size < 1_000) return `${Math.round(milliseconds)} ms`;
  for (const [unit, length, limit] of [["s", 1e3, 6e4], ["min", 6e4, 36e5], ["h", 36e5, 1728e5]]) {
    if (size < limit) return `${Number((milliseconds / length).toFixed(size < 10 * length ? 1 : 0))} ${unit}`;
  }
  return `${number.format(milliseconds / 864e5)} d`;
}

export function bytes(value) {
  if (value == null) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function timeOfDay(moment) {
  return clock.format(moment);
}

/** @param text RFC 3339, or epoch milliseconds. */
export function moment(text) {
  if (text == null) return none;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? String(text) : day.format(date);
}

export function money(value, currency) {
  if (value == null) return none;
  const digits = value === 0 || Math.abs(value) >= 1 ? 2 : Math.min(12, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `${value.toFixed(digits)} ${currency}`;
}

/** A value as JSON has it, short enough for a cell. */
export function value(any) {
  if (any == null) return "null";
  if (typeof any === "number") return figure(any);
  if (typeof any === "object") return JSON.stringify(any);
  return String(any);
}

/** A message as it stands in a text: with a capital letter and a full stop. */
export function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
