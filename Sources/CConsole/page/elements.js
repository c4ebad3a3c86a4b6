// Elements out of values. Texts become text nodes, never markup; events are found by `data-do`, so that an element may
// be brought up to date without being replaced.

import {moment} from "./format.js";

const svgNames = new Set(["svg", "path", "line", "rect", "circle", "polyline", "title", "g", "text"]);

/**
 * @param name of the element, with classes: `td.number`.
 * @param attributes without those that are null, undefined or false.
 */
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = svgNames.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  if (classes.length > 0) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value == null || value === false) continue;
    const isClass = key === "class" && classes.length > 0;
    element.setAttribute(key, isClass ? `${classes.join(" ")} ${value}` : value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child == null || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Brings `old` up to date with `next`, and keeps what the reader has: focus, selection, what is open, what is typed. */
export function update(old, next) {
  if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName || key(old) !== key(next)) {
    old.replaceWith(next);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  for (const {name} of [...old.attributes]) {
    if (!next.hasAttribute(name) && !isReaders(old, name)) old.removeAttribute(name);
  }
  for (const {name, value} of next.attributes) {
    if (old.getAttribute(name) !== value && !isReaders(old, name)) old.setAttribute(name, value);
  }
  if (old.hasAttribute("data-keep")) return;
  updateChildren(old, next);
}

export function updateChildren(old, next) {
  const former = [...old.childNodes];
  const wanted = [...next.childNodes];
  wanted.forEach((child, index) => {
    if (index < former.length) update(former[index], child);
    else old.append(child);
  });
  for (const child of former.slice(wanted.length)) child.remove();
}

function key(node) {
  return node.dataset?.key ?? null;
}

function isReaders(element, name) {
  return name === "open" && element.nodeName === "DETAILS";
}

// Parts that every page has.

export function page(title, lead, ...content) {
  return h("div.page", {"data-key": title}, h("h1", {id: "title"}, title), lead && h("p.lead", null, lead), content);
}

export function section(title, ...content) {
  return h("section", {"data-key": title}, h("h2", null, title), content);
}

export function card(title, ...content) {
  return h("article.card", {"data-key": title}, h("h3", null, title), content);
}

/**
 * @param columns name to alignment: "text" or "number".
 * @param rows lists of texts and elements; with a `key` member when rows come and go.
 */
export function table(caption, columns, rows, empty = "Nothing yet.") {
  const names = Object.entries(columns);
  return h("div.scroll", {tabindex: 0, role: "region", "aria-label": caption, "data-key": caption},
    h("table", null,
      h("caption.unseen", null, caption),
      h("thead", null, h("tr", null, names.map(([name, kind]) => h("th", {scope: "col", class: kind}, name)))),
      h("tbody", null, rows.length === 0
        ? h("tr", null, h("td.empty", {colspan: names.length}, empty))
        : rows.map((row) => h("tr", {"data-key": row.key, class: row.class},
          row.cells.map((cell, index) => h("td", {class: names[index][1]}, cell)))))));
}

export function badge(text, kind = "plain", title = null) {
  return h("span.badge", {class: kind, title}, text);
}

export function figureTile(label, value, note, kind = "") {
  return h("div.tile", {class: kind, "data-key": label},
    h("dt", null, label), h("dd", null, h("span.value", null, value), note && h("span.note", null, note)));
}

export function notice(kind, ...content) {
  return h("p.notice", {class: kind}, content);
}

export function code(text, title = null) {
  return h("code", {title}, text);
}

/** An action of a page; `name` and `data` are what its handler gets. */
export function button(text, name, data = {}, {kind = "", disabled = null, label = null} = {}) {
  const attributes = {type: "button", class: kind, "data-do": name, "aria-label": label};
  for (const [key, value] of Object.entries(data)) if (value != null) attributes[`data-${key}`] = value;
  if (disabled) Object.assign(attributes, {disabled: true, title: disabled});
  return h("button", attributes, text);
}

/** A line of values over time, with a threshold; its text says the same to whoever cannot see it. */
export function sparkline(points, {label, threshold = null, width = 160, height = 36, isWide = false, fromZero = true} = {}) {
  const values = points.map((point) => point.value).filter((value) => Number.isFinite(value));
  if (values.length === 0) return h("span.note", null, "no values");
  const reach = [...values, ...(threshold == null ? [] : [threshold]), ...(fromZero ? [0] : [])];
  const margin = (Math.max(...reach) - Math.min(...reach)) * 0.08;
  const [bottom, top] = [Math.min(...reach) - (fromZero ? 0 : margin), Math.max(...reach) + margin];
  const x = (index) => (3 + (points.length < 2 ? 0.5 : index / (points.length - 1)) * (width - 6)).toFixed(1);
  const y = (value) => (height - 3 - ((value - bottom) / (top - bottom || 1)) * (height - 6)).toFixed(1);
  const drawn = points.map((point, index) => ({...point, x: x(index), y: y(point.value)}))
    .filter((point) => Number.isFinite(point.value));
  const size = {viewBox: `0 0 ${width} ${height}`, width, height, preserveAspectRatio: isWide ? "none" : null};
  return h("svg.spark", {...size, role: "img", "aria-label": label},
    threshold != null && h("line.limit", {x1: 0, x2: width, y1: y(threshold), y2: y(threshold)}),
    h("polyline", {points: drawn.map((point) => `${point.x},${point.y}`).join(" ")}),
    drawn.filter((point) => point.alarm).map((point) => h("circle.alarm", {cx: point.x, cy: point.y, r: 3})),
    !isWide && h("circle", {cx: drawn.at(-1).x, cy: drawn.at(-1).y, r: 2.5}));
}

/** A share as a bar beside its figure. */
export function bar(share, width = 120) {
  const filled = Math.max(0, Math.min(1, share || 0)) * width;
  return h("svg.bar", {viewBox: `0 0 ${width} 8`, width, height: 8, "aria-hidden": "true"},
    h("rect.track", {width, height: 8, rx: 4}), filled > 0 && h("rect.fill", {width: filled.toFixed(1), height: 8, rx: 4}));
}

/** Whatever JSON there is: lists of like objects as tables, the rest as names and values. */
export function evidence(value, name = "evidence", depth = 0) {
  if (value === null || value === undefined) return h("span.note", null, "none");
  if (typeof value === "number" && name.endsWith("_ms") && value > 1e11) return moment(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
  if (typeof value !== "object") return String(value);
  if (depth > 4) return h("code", null, JSON.stringify(value));
  if (Array.isArray(value)) {
    if (value.length === 0) return h("span.note", null, "none");
    const isTable = value.every((row) => row && typeof row === "object" && !Array.isArray(row));
    if (!isTable) return value.map((item, index) => [index > 0 && ", ", evidence(item, name, depth + 1)]);
    const names = [...new Set(value.flatMap((row) => Object.keys(row)))];
    const isNumber = (key) => value.every((row) => row[key] == null || typeof row[key] === "number");
    return table(name, Object.fromEntries(names.map((key) => [key, isNumber(key) ? "number" : "text"])),
      value.map((row) => ({cells: names.map((key) => evidence(row[key] ?? null, key, depth + 1))})));
  }
  return h("dl.evidence", null, Object.entries(value).map(([key, inner]) => h("div", {"data-key": key},
    h("dt", null, key.replace(/_ms$/, "").replaceAll("_", " ")), h("dd", null, evidence(inner, key, depth + 1)))));
}
