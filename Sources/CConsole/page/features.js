// What is known of a key, as an application reads it; and why.

import {badge, button, code, h, notice, page, section, table} from "./elements.js";
import * as format from "./format.js";
import {Refusal} from "./server.js";

const epoch = "1970-01-01T00:00:00Z";
const statusKinds = {PRESENT: "good", NULL_VALUE: "plain", NOT_FOUND: "warn", OUTSIDE_MAX_AGE: "warn"};

export const features = {
  id: "features",
  title: "Features",
  everySeconds: 5,

  async load(context) {
    const [catalog, topology] = await Promise.all([context.call("views"), context.call("topology")]);
    const subjects = list(catalog.views, topology);
    const parameters = context.parameters;
    const subject = subjects.find((one) => one.id === parameters.get("of")) ?? subjects[0];
    let read = null;
    if (subject && subject.keys.every((key) => parameters.get(`key.${key}`))) {
      read = await look(subject, parameters, context);
    }
    return {subjects, subject, read};
  },

  render({subjects, subject, read}, context) {
    if (!subject) return page("Features", null, notice("plain", "This process has no views: it serves models alone."));
    const parameters = context.parameters;
    const {explanation} = context.state;
    return page("Features", "Look up a key as an application would: the values, whether they count, and the records behind them.",
      h("form.lookup", {"data-submit": "look", "data-key": subject.id},
        h("div", null, h("label", {for: "subject"}, "View or service"),
          h("select", {id: "subject", name: "of", "data-change": "choose"},
            ["view", "service"].map((kind) => h("optgroup", {label: `${kind}s`},
              subjects.filter((one) => one.kind === kind).map((one) =>
                h("option", {value: one.id, selected: one.id === subject.id}, one.name)))))),
        subject.keys.map((key) => h("div", null, h("label", {for: `key.${key}`}, key),
          h("input", {id: `key.${key}`, name: `key.${key}`, required: true, autocomplete: "off", spellcheck: "false",
            value: parameters.get(`key.${key}`) ?? ""}))),
        subject.fields.map((field) => h("div", null, h("label", {for: `field.${field.name}`}, `${field.name} (of the request, ${field.type})`),
          h("input", {id: `field.${field.name}`, name: `field.${field.name}`, autocomplete: "off",
            value: parameters.get(`field.${field.name}`) ?? ""}))),
        h("div", null, h("label", {for: "at"}, "Read at"),
          h("select", {id: "at", name: "at"}, [["now", "now"], ["latest", "the newest event's time"]].map(([value, text]) =>
            h("option", {value, selected: parameters.get("at") === value}, text)))),
        h("div.submit", null, h("button", {type: "submit", class: "primary"}, "Look up"))),
      read && result(subject, read, context),
      explanation && explained(explanation),
      section(`What ${subject.name} has`, table(`Features of ${subject.name}`,
        subject.kind === "view" ? {Feature: "text", Type: "text", Definition: "text"} : {Feature: "text", Of: "text"},
        subject.kind === "view"
          ? subject.features.map((feature) => ({key: feature.name, cells: [h("strong", null, feature.name), feature.type, code(feature.definition)]}))
          : subject.features.map((feature) => ({key: feature.name, cells: [h("strong", null, feature.name), code(feature.reference)]})))));
  },

  actions: {
    choose(_, context, element) { context.navigate({of: element.value}); context.state.explanation = null; },
    look(_, context, form) {
      const wanted = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
      context.state.explanation = null;
      if (new URLSearchParams(wanted).toString() === context.parameters.toString()) context.refresh();
      else context.navigate(wanted);
    },
    close(_, context) { context.state.explanation = null; context.show(); },
    async explain({feature, view}, context) {
      const {subject, read} = context.state.data;
      const index = read.metadata.feature_names.findIndex((name) => name === feature || name === `${view}__${feature}`);
      const about = {feature, view, served: read.results[index]?.values[0]};
      context.state.explanation = {about, isPending: true};
      context.show();
      const keys = subject.joinKeys[view].map((key) => ["key", context.parameters.get(`key.${key}`)]);
      try {
        const answer = await context.call("explain", {
          path: {view}, query: [...keys, ["at", read.headrace.read_at], ["feature", feature]],
        });
        context.state.explanation = {about, answer};
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        context.state.explanation = {about, problem: error};
      }
      context.show();
      document.getElementById("explanation")?.scrollIntoView({block: "nearest", behavior: "smooth"});
    },
  },
};

/** Views and services with what a reader has to say to look one up. */
function list(views, topology) {
  const byName = new Map(views.map((view) => [view.name, view]));
  const fieldTypes = new Map(topology.request_fields.map((field) => [field.name, field.type]));
  const ofViews = views.map((view) => ({
    id: `view:${view.name}`, kind: "view", name: view.name, keys: view.join_keys, fields: [], features: view.features,
    joinKeys: {[view.name]: view.join_keys},
    request: {features: view.features.map((feature) => `${view.name}:${feature.name}`)},
  }));
  const ofServices = topology.services.map((service) => {
    const keys = [];
    const joinKeys = {};
    for (const {reference} of service.features) {
      const view = byName.get(reference.split(":")[0]);
      for (const key of view?.join_keys ?? []) if (!keys.includes(key)) keys.push(key);
      if (view) joinKeys[view.name] = view.join_keys;
    }
    // On-demand features may need views and fields that the service does not list itself.
    const isComputed = service.features.some((feature) => !feature.reference.includes(":"));
    const names = isComputed ? [...fieldTypes.keys()]
      : service.features.filter((feature) => feature.reference.startsWith("request:")).map((feature) => feature.reference.slice(8));
    return {
      id: `service:${service.name}`, kind: "service", name: service.name, keys, features: service.features, joinKeys,
      fields: names.map((name) => ({name, type: fieldTypes.get(name) ?? "number"})), request: {feature_service: service.name},
    };
  });
  return [...ofViews, ...ofServices];
}

async function look(subject, parameters, context) {
  const entities = {};
  for (const key of subject.keys) entities[key] = [parameters.get(`key.${key}`)];
  for (const {name, type} of subject.fields) {
    const text = parameters.get(`field.${name}`);
    entities[name] = [text ? (type === "string" ? text : Number(text)) : null];
  }
  const names = subject.kind === "view" ? {full_feature_names: true} : {};
  try {
    return await context.call("features", {
      body: {...subject.request, ...names, entities, as_of: parameters.get("at") || "now"},
    });
  } catch (error) {
    if (error instanceof Refusal && error.status >= 400 && error.status < 500 && error.status !== 401) return {problem: error};
    throw error;
  }
}

function result(subject, read, context) {
  if (read.problem) return notice("bad", format.sentence(read.problem.message), read.problem.remedy && ` ${format.sentence(read.problem.remedy)}`);
  const {headrace, metadata, results} = read;
  const rows = metadata.feature_names.flatMap((name, index) => {
    if (subject.keys.includes(name)) return [];
    const short = subject.kind === "view" ? name.slice(subject.name.length + 2) : name;
    const reference = subject.kind === "view" ? `${subject.name}:${short}`
      : subject.features.find((feature) => feature.name === name)?.reference ?? "";
    const {values, statuses, event_timestamps: times} = results[index];
    const [view, feature] = reference.includes(":") && !reference.startsWith("request:") ? reference.split(":") : [null, null];
    return [{key: name, cells: [
      h("strong", null, short), h("span.figure", null, format.value(values[0])),
      badge(statuses[0], statusKinds[statuses[0]] ?? "bad"), times[0] === epoch ? "" : format.moment(times[0]),
      view ? button("Explain", "explain", {view, feature}, {label: `Explain ${short}`}) : "",
    ]}];
  });
  const age = headrace.watermark_age_ms;
  return section("Values",
    h("p.note", null, `Windows end at ${format.moment(headrace.read_at)}. `,
      age == null ? "No event has come yet." : `The newest event known is ${format.duration(age)} older than that.`,
      headrace.tile && " Newer events lie in the same tile: values of this time are as exact as a tile.",
      headrace.approximate && " Some values are approximate."),
    table("Values", {Feature: "text", Value: "number", Status: "text", "Event time": "time", "": "text"}, rows));
}

function explained({about, answer, problem, isPending}) {
  const feature = answer?.features[0];
  return h("section.explanation", {id: "explanation", "data-key": `${about.view}:${about.feature}`, "aria-live": "polite"},
    h("div.heading", null, h("h2", null, `Why ${about.feature} is what it is`), button("Close", "close")),
    isPending && h("p.note", null, "Reading the archive…"),
    problem && notice("bad", format.sentence(problem.message), problem.remedy && ` ${format.sentence(problem.remedy)}`),
    feature && [
      h("p", null, badge(feature.verified ? "verified" : "not verified", feature.verified ? "good" : "bad"),
        feature.verified ? " The records below, applied alone, give the same bits: " : " The records below give something else: ",
        h("strong", null, format.value(feature.value)), `, from ${format.count(feature.offsets.length)} of ${format.count(answer.records)} records of `,
        code(answer.topic), ` in version ${answer.table_version} of the archive.`),
      feature.window && h("p", null, `Window ${feature.window}`,
        feature.from != null && `: ${format.moment(feature.from)} to ${format.moment(feature.to)}`, "."),
      JSON.stringify(feature.value) !== JSON.stringify(about.served) && notice("warn",
        `Served was ${format.value(about.served)}: with records that became known after that time, or that the archive does not have yet.`),
      feature.newer_records && h("p.note", null, "The last tile holds newer records than this time."),
      h("dl.evidence", null, [["Counted", feature.offsets], ["Repaired, and counted", feature.repaired], ["Too late, left out", feature.late]]
        .filter(([, positions]) => positions.length > 0)
        .map(([name, positions]) => h("div", null, h("dt", null, name), h("dd.offsets", null, ranges(positions))))),
      h("p.note", null, "From the archive, which follows the log by up to its freshness: the newest records may not be in it yet."),
    ]);
}

/** `partition@first…last`, a list of them. */
function ranges(positions) {
  const found = [];
  for (const [partition, offset] of positions) {
    const last = found.at(-1);
    if (last && last.partition === partition && last.end + 1 === offset) last.end = offset;
    else found.push({partition, start: offset, end: offset});
  }
  const shown = found.slice(0, 60).map((one) => `${one.partition}@${one.start}${one.end > one.start ? `…${one.end}` : ""}`);
  return shown.join("  ") + (found.length > 60 ? `  and ${found.length - 60} more` : "");
}
