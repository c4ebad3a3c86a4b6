// Versions, what aliases stand for and stood for, trials under way, who served; promote and roll back.

import {badge, button, code, h, notice, page, section, table} from "./elements.js";
import * as format from "./format.js";

export const models = {
  id: "models",
  title: "Models",
  everySeconds: 4,

  async load(context) {
    const [running, registered] = await Promise.all([context.call("running"), context.optional("registered")]);
    const names = (registered ?? []).map((model) => model.model);
    const chosen = context.parameters.get("model");
    const name = names.includes(chosen) ? chosen : names[0] ?? null;
    const model = name ? await context.call("model", {path: {model: name}}) : null;
    return {running, registered, model};
  },

  render({running, registered, model}, context) {
    const files = running.models.filter((one) => !(registered ?? []).some((known) => one.use?.startsWith(`${known.model}@`)));
    return page("Models", null,
      running.trouble && notice("bad", `Newer versions are not taken: ${running.trouble}`),
      registered === null && notice("plain", "This server has no registry."),
      registered?.length > 1 && h("div.tabs", {"data-key": "tabs"}, registered.map((one) => h("a", {
        href: `#/models?model=${encodeURIComponent(one.model)}`, "aria-current": one.model === model?.model ? "true" : null,
      }, one.model, h("span.note", null, ` ${one.versions} version${one.versions === 1 ? "" : "s"}`)))),
      model && shown(model, running, context),
      files.length > 0 && section("Without a version", table("Models of the topology that no version of the registry is used for",
        {Model: "text", Uses: "text", File: "text"},
        files.map((one) => ({key: one.name, cells: [h("strong", null, one.name), one.use ? code(one.use) : "a file of the topology", hash(one.content_hash)]})))),
      !model && files.length === 0 && registered !== null && notice("plain", "There are no models yet. ",
        code("headrace models publish NAME FILE"), " brings the first version."));
  },

  actions: {
    promote({model, alias, version, current}, context) {
      context.decide({
        route: "promote", path: {model, alias}, needsReason: true, action: `Promote version ${version}`,
        title: `Let version ${version} of ${model} answer?`,
        content: h("p", null, current
          ? `${alias} goes from version ${current} to version ${version}. `
          : `${alias} stands for nothing yet, and will stand for version ${version}. `,
          "Every task goes over at its next commit, at an offset that is recorded; no prediction is lost or made twice. It can be rolled back at once."),
        body: () => ({version: Number(version), expected: Number(current) || 0}),
        done: (answer) => `Version ${answer.version} of ${model} answers.`,
      });
    },
    rollback({model, alias, current, canary, before}, context) {
      context.decide({
        route: "rollback", path: {model, alias}, needsReason: true, isGrave: true,
        action: canary ? `End version ${canary}'s share` : `Go back to version ${before}`,
        title: canary ? `End the trial of version ${canary}?` : `Take version ${current} of ${model} back?`,
        content: h("p", null, canary
          ? `Version ${current} answers for all keys again, version ${canary} for none.`
          : `${alias} goes back from version ${current} to version ${before}, at the next commit of every task.`),
        body: () => ({expected: Number(current)}),
        done: (answer) => `Version ${answer.version} of ${model} answers.`,
      });
    },
  },
};

function shown(model, running, context) {
  const used = running.models.filter((one) => one.use?.startsWith(`${model.model}@`));
  const rollouts = running.rollouts.filter((one) => one.name === model.model || one.model === model.model || used.some((use) => use.name === one.model));
  const aliases = Object.keys(model.aliases).length > 0 ? Object.entries(model.aliases) : [["champion", null]];
  return h("div", {"data-key": model.model},
    section(model.model,
      h("div.cards", null, aliases.map(([alias, version]) => aliasCard(model, alias, version, used, context)))),
    rollouts.map((rollout) => section(`${kindName(rollout.kind)} of version ${rollout.version} beside version ${rollout.champion}`, trial(rollout))),
    section("Versions", table(`Versions of ${model.model}`,
      {Version: "number", Stands: "text", Added: "time", By: "text", Metrics: "text", Made: "text", File: "text", "": "text"},
      model.versions.toReversed().map((version) => versionRow(model, version, context)))),
    section("Who served", table("When each version answered, or scored beside the one that did",
      {Version: "number", Alias: "text", As: "text", From: "time", To: "time", Ended: "text", By: "text", Why: "text"},
      model.served.toReversed().map((period) => ({
        key: `${period.alias}${period.version}${period.began.offset}`, cells: [
          period.version, code(period.alias),
          period.role === "in force" ? badge("in force", "good") : badge(shareText(period.role, period.share_per_mille), "plain"),
          format.moment(period.began.at), period.ended ? format.moment(period.ended.at) : badge("now", "good"),
          period.verdict ?? "", period.began.by, period.began.reason,
        ],
      })), "No version has answered yet.")),
    section("History of aliases", table("What each alias stood for",
      {Since: "time", Alias: "text", Version: "number", By: "text", Why: "text", Offset: "number"},
      model.history.toReversed().map((change) => ({key: String(change.offset), cells: [
        format.moment(change.since), code(change.alias), change.version ?? "taken away", change.by, change.reason, change.offset,
      ]})), "No alias was set yet.")));
}

function aliasCard(model, alias, version, used, context) {
  const before = model.history.filter((change) => change.alias === alias && change.version !== null && change.version !== version).at(-1)?.version;
  const live = used.filter((one) => one.use === `${model.model}@${alias}`);
  const canary = live.find((one) => one.challenger !== null && one.challenger_kind !== "shadow");
  const refusal = context.obstacle("rollback");
  const since = model.history.filter((change) => change.alias === alias).at(-1);
  return h("article.card", {"data-key": alias},
    h("h3", null, code(alias)),
    h("p.large", null, version === null ? "stands for nothing" : `version ${version}`),
    since && version !== null && h("p.note", null, `since ${format.moment(since.since)}, by ${since.by}${since.reason ? `: ${since.reason}` : ""}`),
    live.map((one) => h("p", null, one.version === version
      ? badge(`${one.name} scores with it`, "good")
      : badge(`${one.name} still scores with ${one.version === null ? "nothing" : `version ${one.version}`}`, "warn"),
      canary === one && [" ", badge(shareText(`${one.challenger_kind} version ${one.challenger}`, one.share_per_mille), "warn")],
      one.shadows.map((shadow) => [" ", badge(`shadow version ${shadow.version ?? "?"}`)]))),
    h("div.buttons", null, (canary || before !== undefined) && version !== null && button(
      canary ? "End the trial…" : `Roll back to ${before}…`, "rollback",
      {model: model.model, alias, current: version, before, canary: canary?.challenger},
      {kind: "grave", disabled: refusal})));
}

function versionRow(model, version, context) {
  const stands = Object.entries(model.aliases).filter(([, number]) => number === version.version).map(([alias]) => alias);
  const pending = model.approvals.some((approval) => approval.version === version.version && approval.status === "pending");
  const champion = model.aliases.champion ?? null;
  return {key: String(version.version), cells: [
    h("strong", null, version.version),
    [stands.map((alias) => badge(alias, "good")), pending && h("a", {href: "#/retraining"}, badge("waits for approval", "warn"))],
    format.moment(version.added_at_ms), version.added_by,
    (version.lineage?.metrics ?? []).slice(0, 4).map((metric) => h("span.metric", {
      title: metric.low == null ? null : `${format.figure(metric.low)} to ${format.figure(metric.high)}`,
    }, `${metric.name} ${format.figure(metric.value)}`)),
    h("span", {title: version.lineage?.dataset_place}, version.lineage
      ? [version.lineage.service_name, version.lineage.run_id && `run ${version.lineage.run_id.slice(0, 12)}`].filter(Boolean).join(", ") : version.note),
    h("span", null, `${version.format} `, hash(version.content_hash)),
    champion === version.version ? "" : button("Promote…", "promote",
      {model: model.model, alias: "champion", version: version.version, current: champion ?? 0},
      {disabled: context.obstacle("promote"), label: `Promote version ${version.version}`}),
  ]};
}

function trial(rollout) {
  const difference = rollout.difference;
  const arms = [["version " + rollout.champion, rollout.champion_arm], ["version " + rollout.version, rollout.challenger_arm]];
  const verdicts = {promote: "good", roll_back: "bad", undecided: "plain"};
  return [
    h("p", null, badge(rollout.verdict.replace("_", " "), verdicts[rollout.verdict] ?? "plain"), " ",
      rollout.reason ?? "The gates have not decided yet.", " ",
      h("span.note", null, `Since ${format.moment(rollout.began)}; decided ${rollout.decides === "automatic" ? "by the gates" : "by hand"}`,
        rollout.kind === "shadow" ? "." : `; ${rollout.share_per_mille / 10} % of the keys.`)),
    table("Arms", {Arm: "text", Predictions: "number", Failures: "number", "Score p10": "number", p50: "number", p90: "number", "Scoring p99, ms": "number"},
      arms.map(([name, arm]) => ({key: name, cells: [
        name, format.count(arm.predictions), format.count(arm.failures), format.figure(arm.score_p10), format.figure(arm.score_p50),
        format.figure(arm.score_p90), format.figure(arm.scoring_ms_p99),
      ]}))),
    difference && h("p.note", null, `${format.count(difference.compared)} events scored by both: they agree on ${format.percent(difference.agreement)}; `
      + `scores differ by ${format.figure(difference.mean)} on average, ${format.figure(difference.p99)} at the 99th percentile, ${format.figure(difference.max)} at most. `
      + `PSI of the scores ${format.figure(rollout.score_psi)}.`),
    rollout.gates.length > 0 && table("Gates", {Gate: "text", "At most": "number", Found: "number", "From predictions": "number", State: "text"},
      rollout.gates.map((gate) => ({key: gate.metric, cells: [
        gate.metric, format.figure(gate.at_most), format.figure(gate.value), format.count(gate.predictions_min),
        badge(gate.state, gate.state === "holds" ? "good" : gate.state === "broken" ? "bad" : "plain"),
      ]}))),
  ];
}

function kindName(kind) {
  return {shadow: "Shadow", canary: "Canary", split: "A/B test"}[kind] ?? kind;
}

function shareText(role, share) {
  return share == null ? role : `${role}, ${share / 10} % of keys`;
}

function hash(text) {
  return text ? code(text.slice(0, 12), text) : "";
}
