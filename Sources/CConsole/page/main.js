// The frame: which page is shown, how fresh it is, who is logged in.

import {cost} from "./cost.js";
import {askToken, decide, obstacle} from "./decide.js";
import {drift} from "./drift.js";
import {h, notice, page, update, updateChildren} from "./elements.js";
import {features} from "./features.js";
import {sentence, timeOfDay} from "./format.js";
import {models} from "./models.js";
import {overview} from "./overview.js";
import {retraining} from "./retraining.js";
import {call, login, Refusal} from "./server.js";

const pages = [overview, features, models, drift, retraining, cost];
const sessionSeconds = 30;
const retrySecondsMax = 10;

const main = document.getElementById("main");
const freshness = document.getElementById("freshness");
const freshnessText = document.getElementById("freshness-text");
const loginButton = document.getElementById("login");
const themeButton = document.getElementById("theme");

let current = null;
let session = null;
let sessionAt = 0;
let topology = null;
/** The newest answer that the page shows, in the server's time. */
let shownAt = null;
let failures = 0;
let timer = null;
/** Ends what is under way for a page that is no longer shown. */
let aborter = new AbortController();
const states = new Map(pages.map((one) => [one.id, {}]));

const context = {
  get session() { return session; },
  get parameters() { return new URLSearchParams(location.hash.split("?")[1] ?? ""); },
  get state() { return states.get(current.id); },
  async call(name, options) {
    const {answer, at} = await call(name, {...options, signal: aborter.signal});
    if (!shownAt || at > shownAt) shownAt = at;
    return answer;
  },
  /** The same; null where the server has nothing of the kind. */
  async optional(name, options) {
    try {
      return await context.call(name, options);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  },
  /** The server's time. */
  get now() { return shownAt?.getTime() ?? Date.now(); },
  obstacle: (route) => obstacle(session, route),
  /** Asks, does it, and says what came of it. */
  async decide(decision) {
    if (session?.mode === "token" && !session.principal) {
      if (!await logIn("This needs somebody who may decide.")) return null;
      const reason = obstacle(session, decision.route);
      if (reason) {
        announce(reason);
        return null;
      }
    }
    const answer = await decide(session, decision);
    if (answer) {
      announce(decision.done(answer));
      await refresh();
    }
    return answer;
  },
  /** Shows the page again from what it has. */
  show,
  refresh,
  navigate(parameters) { location.hash = `#/${current.id}?${new URLSearchParams(parameters)}`; },
};

async function logIn(why) {
  const answer = await askToken(why);
  if (!answer) return false;
  session = answer;
  showLogin();
  announce(`Logged in as ${answer.principal}.`);
  return true;
}

function announce(text) {
  document.getElementById("announcements").textContent = text;
  const toast = h("div.toast", {"aria-hidden": "true"}, text);
  document.body.append(toast);
  setTimeout(() => toast.remove(), 6_000);
}

// The page.

function show() {
  const {data, problem} = context.state;
  let content;
  if (problem && !data) {
    content = page(current.title, null, trouble(problem));
  } else if (data) {
    content = current.render(data, context);
    if (problem) content.children[0].after(trouble(problem));
  } else {
    content = page(current.title, null, h("p.note", {"data-key": "loading"}, "Asking the server…"));
  }
  if (main.firstElementChild) update(main.firstElementChild, content);
  else main.replaceChildren(content);
}

function trouble(problem) {
  if (problem.status === 401) {
    return notice("warn", `${sentence(problem.message)} `, h("button", {type: "button", "data-do": "log-in"}, "Log in"));
  }
  return notice("bad", sentence(problem.message), problem.remedy ? ` ${sentence(problem.remedy)}` : "");
}

async function refresh() {
  clearTimeout(timer);
  const asked = current;
  const state = states.get(asked.id);
  try {
    if (!session || Date.now() - sessionAt > sessionSeconds * 1_000) await loadSession();
    shownAt = null;
    const data = await asked.load(context);
    if (asked !== current) return;
    state.data = data;
    state.problem = null;
    state.at = shownAt;
    failures = 0;
    setLink("live");
  } catch (error) {
    if (asked !== current || error.name === "AbortError") return;
    if (!(error instanceof Refusal)) throw error;
    state.problem = error.status === 0 ? null : error;
    failures = error.status === 0 ? failures + 1 : 0;
    setLink(error.status === 0 ? "lost" : "live");
  }
  show();
  plan();
}

function plan() {
  clearTimeout(timer);
  const wait = failures > 0 ? Math.min(2 ** failures, retrySecondsMax) : current.everySeconds;
  if (!document.hidden) timer = setTimeout(refresh, wait * 1_000);
}

async function loadSession() {
  try {
    const {answer} = await call("session");
    session = answer;
  } catch (error) {
    // A token that counts no longer is nobody's.
    if (!(error instanceof Refusal) || error.status !== 401) throw error;
    login.token = null;
    session = (await call("session")).answer;
    announce("You are logged out: the token counts no longer.");
  }
  sessionAt = Date.now();
  showLogin();
  if (!topology && (session.reading === "open" || session.principal)) {
    topology = (await call("topology")).answer.topology;
    document.getElementById("topology").textContent = topology;
    setTitle();
  }
}

function showLogin() {
  loginButton.hidden = session?.mode !== "token";
  loginButton.textContent = session?.principal ? `${session.principal} · log out` : "Log in";
}

function setLink(link) {
  const at = context.state.at;
  freshness.dataset.link = link;
  if (link === "live") freshnessText.textContent = at ? `as of ${timeOfDay(at)}` : "connected";
  else freshnessText.textContent = at ? `no answer; shown is ${timeOfDay(at)}` : "no answer";
  const wasLost = document.body.dataset.link === "lost";
  document.body.dataset.link = link;
  if (link === "lost" && !wasLost) announce("The server does not answer. What you see does not change any more.");
  if (link === "live" && wasLost) announce("The server answers again.");
}

function setTitle() {
  document.title = `${current.title} · ${topology ? `${topology} · ` : ""}Headrace`;
}

// Which page.

function route() {
  const id = location.hash.slice(2).split("?")[0];
  const found = pages.find((one) => one.id === id) ?? overview;
  const isNew = found !== current;
  current = found;
  aborter.abort();
  aborter = new AbortController();
  updateChildren(document.getElementById("pages"), h("div", null, pages.map((one) => h("a", {
    href: `#/${one.id}`, "aria-current": one === current ? "page" : null,
  }, one.title))));
  setTitle();
  show();
  if (isNew) {
    window.scrollTo(0, 0);
    // Who hears the page rather than sees it is told where they are; not at the start, where the browser does it.
    if (route.hasRun) main.focus({preventScroll: true});
  }
  route.hasRun = true;
  refresh();
}

// What the reader does.

function handle(event, attribute) {
  const element = event.target.closest?.(`[${attribute}]`);
  if (!element || !main.contains(element)) return;
  const name = element.getAttribute(attribute);
  if (name === "log-in") logIn(null).then((done) => done && refresh());
  else current.actions?.[name]?.(element.dataset, context, element);
}

main.addEventListener("click", (event) => handle(event, "data-do"));
main.addEventListener("change", (event) => handle(event, "data-change"));
main.addEventListener("submit", (event) => {
  event.preventDefault();
  handle(event, "data-submit");
});

loginButton.addEventListener("click", async () => {
  if (session?.principal) {
    login.token = null;
    session = null;
    announce("Logged out.");
  } else if (!await logIn(null)) {
    return;
  }
  refresh();
});

const themes = ["auto", "light", "dark"];
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const name = {auto: "as the system", light: "light", dark: "dark"}[theme];
  themeButton.textContent = {auto: "Auto", light: "Light", dark: "Dark"}[theme];
  themeButton.setAttribute("aria-label", `Colours: ${name}`);
}
themeButton.addEventListener("click", () => {
  const next = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
  localStorage.setItem("headrace-theme", next);
  setTheme(next);
});
const storedTheme = localStorage.getItem("headrace-theme");
setTheme(themes.includes(storedTheme) ? storedTheme : "auto");

document.addEventListener("visibilitychange", () => document.hidden ? clearTimeout(timer) : refresh());
window.addEventListener("hashchange", route);
route();
