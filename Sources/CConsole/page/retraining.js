// Models on their way to the next version, and what waits for a person.

import {badge, button, code, evidence, h, notice, page, section, table} from "./elements.js";
import * as format from "./format.js";

const steps = ["dataset", "train", "evaluate", "gate", "register", "shadow", "canary", "approval", "promote", "done"];
const ends = {done: "good", refused: "bad", stopped: "warn"};

export const retraining = {
  id: "retraining",
  title: "Retraining & approvals",
  everySeconds: 4,

  async load(context) {
    const [retrainings, approvals] = await Promise.all([context.optional("retrainings"), context.optional("approvals")]);
    return {retrainings, approvals, now: context.now};
  },

  render({retrainings, approvals, now}, context) {
    if (retrainings === null || approvals === null) {
      return page("Retraining & approvals", null, notice("plain", "This server has no registry."));
    }
    const pending = approvals.filter((approval) => approval.status === "pending");
    const open = retrainings.filter((one) => !(one.step in ends)).toReversed();
    const closed = retrainings.filter((one) => one.step in ends).toReversed();
    const decided = approvals.filter((approval) => approval.status !== "pending").toReversed();
    return page("Retraining & approvals", null,
      section("Waiting for a person", pending.length === 0
        ? h("p.note", {"data-key": "none"}, "Nothing waits for a decision.")
        : pending.map((approval) => question(approval, retrainings, now, context))),
      section("Under way", open.length === 0 ? h("p.note", {"data-key": "none"}, "No model is being retrained.")
        : open.map((one) => process(one, now, context))),
      closed.length > 0 && section("Over", closed.slice(0, 30).map((one) => h("details.process", {"data-key": one.id},
        h("summary", null, badge(one.step, ends[one.step]), " ", h("strong", null, one.model), ` ${one.policy} `,
          h("span.note", null, `${format.moment(one.steps.at(-1)?.entered.at)} ${one.steps.at(-1)?.note ?? ""}`)),
        stepsOf(one, context)))),
      decided.length > 0 && section("Decided", table("Approvals that were decided",
        {Model: "text", Version: "number", Verdict: "text", By: "text", When: "time", Why: "text"},
        decided.map((approval) => ({key: approval.id, cells: [
          h("strong", null, approval.model), approval.version,
          badge(approval.status, approval.status === "approved" ? "good" : approval.status === "rejected" ? "bad" : "plain"),
          approval.decided?.by ?? "", format.moment(approval.decided?.at), approval.decided?.reason ?? "",
        ]})))));
  },

  actions: {
    approve: (data, context) => verdict("approve", data, context),
    reject: (data, context) => verdict("reject", data, context),
  },
};

function verdict(route, {approval, model, version, alias, asker}, context) {
  const isYes = route === "approve";
  context.decide({
    route, path: {approval}, needsReason: !isYes, isGrave: !isYes, action: isYes ? "Approve" : "Reject",
    title: `${isYes ? "Approve" : "Reject"} version ${version} of ${model}?`,
    content: h("p", null, isYes ? `Version ${version} may have the alias ${alias}, and gets it. ` : `Version ${version} does not get the alias ${alias}. `,
      `${asker} asked for it, and cannot decide it.`),
    done: (answer) => `Version ${version} of ${model} is ${answer.status} by ${answer.by}.`,
  });
}

function question(approval, retrainings, now, context) {
  const left = approval.expires_at_ms - now;
  const own = retrainings.find((one) => one.id === approval.id);
  const data = {approval: approval.id, model: approval.model, version: approval.version, alias: approval.alias, asker: approval.requested_by};
  return h("article.card.wide", {"data-key": approval.id},
    h("div.heading", null, h("h3", null, `Version ${approval.version} of ${approval.model} for `, code(approval.alias)),
      badge(left > 0 ? `${format.duration(left)} left` : "its time is over", left > 3_600_000 ? "plain" : "warn")),
    h("p", null, `Asked by ${approval.requested_by}, ${format.moment(approval.requested.at)}`, approval.reason && `: ${approval.reason}`, "."),
    h("h4", null, "Evidence"), evidence(approval.evidence),
    own && pageLink(own, context),
    h("div.buttons", null,
      button("Approve…", "approve", data, {kind: "primary", disabled: context.obstacle("approve"), label: `Approve version ${approval.version} of ${approval.model}`}),
      button("Reject…", "reject", data, {kind: "grave", disabled: context.obstacle("reject"), label: `Reject version ${approval.version} of ${approval.model}`})));
}

function process(one, now, context) {
  const reached = new Set(one.steps.map((step) => step.step));
  return h("article.card.wide", {"data-key": one.id},
    h("div.heading", null, h("h3", null, one.model), h("span.note", null, `${one.policy}, opened by ${one.opened_by} ${format.moment(one.steps[0]?.entered.at)}`)),
    h("ol.steps", {"aria-label": "Steps"}, steps.map((step) => h("li", {
      class: step === one.step ? "now" : reached.has(step) ? "past" : null, "aria-current": step === one.step ? "step" : null,
    }, step))),
    h("p.note", null, one.lease && new Date(one.lease.until).getTime() > now
      ? `Worked on by ${one.lease.worker}, which has it until ${format.moment(one.lease.until)}.` : "Nobody works on it at this moment."),
    stepsOf(one, context));
}

function stepsOf(one, context) {
  return [
    one.cause && [h("h4", null, "Cause"), evidence(one.cause, "cause")],
    h("h4", null, "Steps"),
    one.steps.map((step) => step.evidence === null
      ? h("p.step", {"data-key": step.step}, h("strong", null, step.step), h("span.note", null, ` ${format.moment(step.entered.at)}`), step.note && ` ${step.note}`)
      : h("details.step", {"data-key": step.step},
        h("summary", null, h("strong", null, step.step), h("span.note", null, ` ${format.moment(step.entered.at)}`), step.note && ` ${step.note}`),
        evidence(step.evidence, `evidence of ${step.step}`))),
    pageLink(one, context),
  ];
}

/** A link carries no token: where reading needs one, the same is on the command line. */
function pageLink(one, context) {
  if (context.session?.reading === "token") {
    return h("p.note", {"data-key": "page"}, "The whole evidence page: ", code(`headrace retrain show ${one.id}`));
  }
  return h("p", {"data-key": "page"}, h("a", {href: `/api/retrainings/${encodeURIComponent(one.id)}/evidence`, target: "_blank", rel: "noopener"},
    "The whole evidence page"));
}
