// What monitors watch, what they have found, and what people tell them.

import {badge, bar, button, code, evidence, figureTile, h, notice, page, section, sparkline, table} from "./elements.js";
import * as format from "./format.js";

const silences = [["an hour", 3_600_000], ["a day", 86_400_000], ["a week", 604_800_000]];

export const drift = {
  id: "drift",
  title: "Drift",
  everySeconds: 6,

  async load(context) {
    const found = await context.optional("monitors");
    if (!found) return {found: null, histories: {}};
    const histories = await Promise.all(found.monitors.map(({monitor}) => context.optional("history", {path: {monitor}})));
    return {found, histories: Object.fromEntries(found.monitors.map(({monitor}, index) => [monitor, histories[index]]))};
  },

  render({found, histories}, context) {
    if (!found) return page("Drift", null, notice("plain", "This process runs no topology, so it watches nothing."));
    if (found.monitors.length === 0) {
      return page("Drift", null, notice("plain", "The topology has no monitors. ", code("monitors:"), " in its file adds them."));
    }
    return page("Drift", null,
      !found.running_here && notice("plain", "Another process of the topology runs the monitors, or they have seen no whole window yet: live figures are not here."),
      found.monitors.map((monitor) => section(monitor.monitor, shown(monitor, histories[monitor.monitor], context))));
  },

  actions: {
    acknowledge({monitor, at, start}, context) {
      context.decide({
        route: "acknowledge", path: {monitor}, needsReason: true, action: "Acknowledge",
        title: `Is what ${monitor} sees right?`,
        content: h("p", null, `Its reference begins anew with the window of ${format.moment(start)}: windows in front of it no longer count. `
          + "Say so when the world has changed, not when the data is broken."),
        body: () => ({at: Number(at)}),
        done: () => `${monitor} takes what it sees for normal from ${format.moment(start)} on.`,
      });
    },
    silence({monitor, feature, from}, context) {
      const long = h("select", {id: "long"}, silences.map(([name, length]) => h("option", {value: length}, name)));
      const all = h("input", {type: "checkbox", id: "all"});
      context.decide({
        route: "silence", path: {monitor}, needsReason: true, action: "Silence",
        title: `Silence ${feature}?`,
        content: h("p", null, "Its alarms do not ring for a while, and trigger nothing. They are noted all the same."),
        fields: [
          h("label", {for: "long"}, `For how long, in event time from ${format.moment(Number(from))} on`), long,
          h("label.check", {for: "all"}, all, " every feature of the monitor"),
        ],
        body: () => ({...(all.checked ? {} : {feature}), from: Number(from), until: Number(from) + Number(long.value)}),
        done: () => `${all.checked ? monitor : feature} is silent.`,
      });
    },
  },
};

function shown(monitor, history, context) {
  const alarms = (history?.alarms ?? []).toReversed();
  const thresholds = monitor.tests.map((test) => `${test.test} ${format.figure(test.threshold)}`).join(", ");
  return [
    h("p.note", null, "Watches ", code(monitor.model), ` in windows of ${format.duration(monitor.window_ms)}, against ${monitor.reference}`,
      thresholds && `; alarms at ${thresholds}`, "."),
    h("dl.tiles", null,
      figureTile("Ringing alarms", format.count(alarms.filter((alarm) => !alarm.muted_by).length),
        history ? "of those shown below" : "no table to read them from"),
      figureTile("Rows of the open windows", format.count(monitor.rows), monitor.rows === null ? "not run here" : null),
      figureTile("Too late for their window", format.count(monitor.late), null)),
    h("h3", null, "Alarms"),
    alarms.length === 0 ? h("p.note", {"data-key": "no alarms"}, history ? "None." : "This process keeps no tables, so what was found before is not known here.")
      : h("div.alarms", {"data-key": "alarms"}, alarms.slice(0, 20).map((alarm) => shownAlarm(monitor, alarm, context))),
    alarms.length > 20 && h("p.note", null, `and ${alarms.length - 20} earlier ones`),
    h("h3", null, "Last windows"),
    series(monitor, history),
    history?.performance.length > 0 && [h("h3", null, "Quality"), quality(history)],
  ];
}

function shownAlarm(monitor, alarm, context) {
  const cause = alarm.cause ?? {};
  const start = new Date(alarm.window.start).getTime();
  return h("details.alarm", {"data-key": alarm.id},
    h("summary", null,
      badge(alarm.muted_by ? "muted" : cause.data_bug ? "data bug" : "drift", alarm.muted_by ? "plain" : cause.data_bug ? "bad" : "warn"), " ",
      h("strong", null, alarm.feature), ` ${alarm.test} ${format.figure(alarm.value)} > ${format.figure(alarm.threshold)}`,
      h("span.note", null, ` ${format.moment(alarm.window.start)}, ${cause.class ?? "no cause found"}`)),
    h("p", null, `${format.count(alarm.window.rows)} rows from ${format.moment(alarm.window.start)} to ${format.moment(alarm.window.end)}, against `
      + `${format.count(alarm.reference.rows)} rows from ${format.moment(alarm.reference.start)} to ${format.moment(alarm.reference.end)}. `
      + `${alarm.windows_in_a_row === 1 ? "The first window of it" : `${alarm.windows_in_a_row} windows in a row`}.`),
    alarm.muted_by && h("p.note", null, `Does not ring: ${alarm.muted_by}.`),
    h("h4", null, "Cause"), evidence(cause, "cause"),
    parts("Segments", alarm.segments), parts("Producers", alarm.producers),
    h("div.buttons", null,
      button("Acknowledge…", "acknowledge", {monitor: monitor.monitor, at: start, start: alarm.window.start},
        {disabled: context.obstacle("acknowledge"), label: `Acknowledge ${alarm.feature}`}),
      button("Silence…", "silence", {monitor: monitor.monitor, feature: alarm.feature, from: new Date(alarm.window.end).getTime()},
        {disabled: context.obstacle("silence"), label: `Silence ${alarm.feature}`})));
}

function parts(name, list) {
  if (list.length === 0) return null;
  return [h("h4", null, name), table(name, {Name: "text", Rows: "number", Score: "number", "Share of the drift": "number", "": "text"},
    list.map((part) => ({key: part.name, cells: [
      code(part.name), format.count(part.rows), format.figure(part.score), format.percent(part.share), bar(part.share),
    ]})))];
}

function series(monitor, history) {
  const byKey = new Map(monitor.scores.map((score) => [`${score.feature}/${score.test}`, {...score, windows: []}]));
  for (const one of history?.features ?? []) {
    const last = one.windows.at(-1);
    byKey.set(`${one.feature}/${one.test}`, {
      feature: one.feature, test: one.test, windows: one.windows,
      value: byKey.get(`${one.feature}/${one.test}`)?.value ?? last?.value ?? null, threshold: last?.threshold ?? null,
    });
  }
  const rows = [...byKey.entries()].toSorted(([left], [right]) => left < right ? -1 : 1);
  return table("Features and how far they are from the reference",
    {Feature: "text", Test: "text", Last: "number", Threshold: "number", Windows: "text", Of: "number"},
    rows.map(([key, one]) => ({key, cells: [
      h("strong", null, one.feature || "predictions"), one.test,
      h("span", {class: one.threshold !== null && one.value > one.threshold ? "over" : null}, format.figure(one.value)), format.figure(one.threshold),
      sparkline(one.windows, {label: `${one.feature} ${one.test} over ${one.windows.length} windows`, threshold: one.threshold}),
      one.windows.length,
    ]})), "No window is over yet.");
}

function quality(history) {
  return table("Quality of the predictions, as labels tell it",
    {Metric: "text", Segment: "text", Last: "number", "From": "number", "To": "number", Windows: "text"},
    history.performance.map((one) => {
      const last = one.windows.at(-1) ?? {};
      return {key: `${one.metric}/${one.segment}`, cells: [
        h("strong", null, one.metric), one.segment || "all rows", format.figure(last.value ?? null), format.figure(last.lower ?? null),
        format.figure(last.upper ?? null), sparkline(one.windows, {label: `${one.metric} over ${one.windows.length} windows`, fromZero: false}),
      ]};
    }));
}
