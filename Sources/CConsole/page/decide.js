// Decisions: what is asked, by whom, and why, in a dialog; and the log-in that they need.

import {contract} from "./contract.js";
import {h} from "./elements.js";
import {sentence} from "./format.js";
import {call, login, Refusal} from "./server.js";

const nameKey = "headrace-name";
const dialog = document.getElementById("dialog");

/** Why the session may not call a route; null when it may, or when logging in could change it. */
export function obstacle(session, route) {
  const role = contract[route].role;
  if (!session) return "It is not known yet who may decide.";
  if (session.mode === "read_only") return session.reason;
  if (session.mode === "token" && session.principal && !session.roles.includes(role)) {
    return `${session.principal} has not the role ${role}.`;
  }
  return null;
}

/**
 * Asks for a token, and tries it.
 *
 * @returns whether somebody is logged in then.
 */
export function askToken(why) {
  const field = h("input", {
    type: "password", id: "token", name: "token", autocomplete: "off", spellcheck: "false", required: true,
  });
  return open({
    title: "Log in", action: "Log in", fields: [field], focus: field,
    content: [
      why && h("p", null, why),
      h("label", {for: "token"}, "Token"), field,
      h("p.note", null, "It is kept in this tab only, and is gone when the tab is closed. ",
        h("code", null, "headrace access token NAME"), " makes one."),
    ],
    async submit() {
      const before = login.token;
      login.token = field.value.trim();
      try {
        const {answer} = await call("session");
        if (answer.mode === "token" && !answer.principal) throw new Refusal(401, "LOGIN_NEEDED", "The token is nobody's.");
        return answer;
      } catch (error) {
        login.token = before;
        throw error;
      }
    },
  });
}

/**
 * Asks whether something is to be done, and does it.
 *
 * @param decision `route` and `path` of the contract, `title`, `content` that says what will happen, `action` on the
 *   button, `isGrave`, `needsReason`, and `body()` with what goes along.
 * @returns the answer; null when nothing was done.
 */
export async function decide(session, decision) {
  const reason = h("textarea", {id: "reason", rows: 3, maxlength: 2000, required: decision.needsReason});
  const isLocal = session.mode === "local";
  const name = h("input", {
    type: "text", id: "actor", autocomplete: "username", maxlength: 128, required: true,
    value: sessionStorage.getItem(nameKey) ?? "",
  });
  return open({
    title: decision.title, action: decision.action, isGrave: decision.isGrave, focus: isLocal && !name.value ? name : reason,
    content: [
      decision.content, decision.fields,
      isLocal
        ? [h("label", {for: "actor"}, "Your name"), name,
          h("p.note", null, "There is no access file: this machine is trusted, and the name is written down as you say it.")]
        : h("p.note", null, `Written down as decided by ${session.principal}.`),
      h("label", {for: "reason"}, decision.needsReason ? "Why" : "Why (may be left out)"), reason,
    ],
    async submit() {
      const body = {...decision.body?.(), reason: reason.value.trim()};
      if (isLocal) {
        body.by = name.value.trim();
        sessionStorage.setItem(nameKey, body.by);
      }
      const {answer} = await call(decision.route, {path: decision.path, body});
      return answer;
    },
  });
}

/** @returns what `submit` gives; null when the dialog was closed without it. */
function open({title, action, isGrave, content, focus, submit}) {
  return new Promise((resolve) => {
    let result = null;
    const problem = h("p.notice.bad", {role: "alert", hidden: true});
    const send = h("button", {type: "submit", class: isGrave ? "primary grave" : "primary"}, action);
    const cancel = h("button", {type: "button"}, "Cancel");
    const form = h("form", null,
      h("h2", {id: "dialog-title"}, title), h("div.fields", null, content), problem,
      h("div.buttons", null, cancel, send));
    cancel.addEventListener("click", () => dialog.close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      problem.hidden = true;
      try {
        result = await submit();
        dialog.close();
      } catch (error) {
        problem.replaceChildren(sentence(error.message), error.remedy ? ` ${sentence(error.remedy)}` : "");
        problem.hidden = false;
        send.disabled = false;
      }
    });
    dialog.replaceChildren(form);
    dialog.addEventListener("close", () => {
      dialog.replaceChildren();
      resolve(result);
    }, {once: true});
    dialog.showModal();
    focus.focus();
  });
}
