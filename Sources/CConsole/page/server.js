// Everything that goes over the wire: calls by their names in the contract, and nothing beside.

import {contract} from "./contract.js";

const tokenKey = "headrace-token";

/** The login lives as long as this tab. */
export const login = {
  get token() { return sessionStorage.getItem(tokenKey); },
  set token(text) {
    if (text) sessionStorage.setItem(tokenKey, text);
    else sessionStorage.removeItem(tokenKey);
  },
};

/** What the server says instead of an answer (RFC 9457). `status` is 0 when it does not answer at all. */
export class Refusal extends Error {
  constructor(status, code, detail, remedy) {
    super(detail);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

const deadlineMilliseconds = 15_000;

/**
 * @param name of the contract.
 * @param options parameters of the path, the query, and the body.
 * @returns {Promise<{answer: any, at: Date}>} what the contract names of the answer, and the server's time of it.
 */
export async function call(name, {path = {}, query = null, body = null, signal = null} = {}) {
  const route = contract[name];
  let address = route.path.replace(/\{(\w+)\}/g, (_, part) => encodeURIComponent(path[part]));
  if (query) address += `?${new URLSearchParams(query)}`;
  const headers = {Accept: "application/json"};
  if (body !== null) headers["Content-Type"] = "application/json";
  if (login.token) headers.Authorization = `Bearer ${login.token}`;
  const deadline = AbortSignal.timeout(deadlineMilliseconds);
  let response;
  try {
    response = await fetch(address, {
      method: route.method, headers, body: body === null ? undefined : JSON.stringify(body), cache: "no-store",
      credentials: "omit", redirect: "error", signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, "NO_ANSWER", "The server does not answer.", "Is the process still running?");
  }
  const text = await response.text();
  if (!(route.statuses ?? [200]).includes(response.status)) throw refusal(response.status, text);
  const answer = JSON.parse(text);
  const faults = [];
  const taken = take(answer, route.answer, name, faults);
  if (faults.length > 0) {
    throw new Refusal(
      response.status, "CONTRACT", `The answer lacks what this page reads: ${faults.slice(0, 3).join(", ")}.`,
      "Is the page older than the server? Load it again.");
  }
  return {answer: taken, at: new Date(response.headers.get("Date") ?? Date.now())};
}

/** The member of a refusal, whichever of its shapes: ours, the list of faults of a body, or Feast's text with JSON. */
function refusal(status, text) {
  let problem = {};
  try {
    problem = JSON.parse(text);
    if (typeof problem === "string") problem = JSON.parse(problem);
  } catch {
    problem = {};
  }
  const faults = Array.isArray(problem.detail) ? problem.detail.map((fault) => fault.msg).join("; ") : null;
  const detail = faults ?? problem.detail ?? problem.message ?? `The server answers with status ${status}.`;
  const code = typeof problem.code === "string" ? problem.code : `HTTP_${status}`;
  return new Refusal(status, code, String(detail), problem.remedy == null ? null : String(problem.remedy));
}

/** The part of `value` that `shape` names. What is missing, or of another type, goes into `faults`. */
export function take(value, shape, place, faults) {
  if (typeof shape === "string") {
    const type = shape.replace("?", "");
    if (value == null && (shape.endsWith("?") || type === "any")) return null;
    if (type !== "any" && typeof value !== type) faults.push(place);
    return value;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) {
      faults.push(place);
      return [];
    }
    return value.map((element, index) => take(element, shape[0], `${place}[${index}]`, faults));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    faults.push(place);
    return {};
  }
  const taken = {};
  for (const [key, inner] of Object.entries(shape)) {
    if (key === "*") {
      for (const [name, element] of Object.entries(value)) taken[name] = take(element, inner, `${place}.${name}`, faults);
    } else if (key.endsWith("?")) {
      const name = key.slice(0, -1);
      taken[name] = value[name] == null ? null : take(value[name], inner, `${place}.${name}`, faults);
    } else {
      taken[key] = take(value[key], inner, `${place}.${key}`, faults);
    }
  }
  return taken;
}
