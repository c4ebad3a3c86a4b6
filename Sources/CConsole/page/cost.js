// What the process used, what that cost, and what would cost less.

import {badge, bar, code, figureTile, h, notice, page, section, table} from "./elements.js";
import * as format from "./format.js";

export const cost = {
  id: "cost",
  title: "Cost",
  everySeconds: 10,

  async load(context) {
    return {report: await context.optional("cost")};
  },

  render({report}) {
    if (!report) return page("Cost", null, notice("plain", "This process counts no costs."));
    const {usage} = report;
    const span = usage.to_ms - usage.from_ms;
    const cpu = usage.process_cpu_ns;
    const money = (value) => format.money(value, report.currency);
    return page("Cost", `What this process used since it started ${format.duration(span)} ago. Lines add up to the process.`,
      !report.priced && notice("plain", "Nobody said what resources cost, so this is CPU time alone. ", code("--prices deploy/prices.yaml"), " adds money."),
      h("dl.tiles", {"data-key": "tiles"},
        report.priced && figureTile("In all", money(report.total), `${money(report.idle)} of it for cores that were idle`),
        figureTile("CPU time", format.duration(cpu / 1e6), `of ${format.figure(usage.cores)} cores over ${format.duration(span)}`),
        figureTile("Idle", format.percent(usage.idle_share), "of its cores' time"),
        figureTile("CPU for an event", usage.events > 0 ? `${format.figure(cpu / usage.events / 1e3)} µs` : format.none, `${format.count(usage.events)} events, everything included`),
        figureTile("Not attributed", format.percent(usage.unattributed_share, 2), "of the CPU time")),
      section("What would cost less", report.advice.length === 0 ? h("p.note", {"data-key": "none"}, "Nothing stands out.")
        : table("Advice", {About: "text", Why: "text", "What to do": "text", Saves: "text"},
          report.advice.map((one) => ({key: `${one.kind}${one.subject}`, cells: [
            [badge(one.kind.replaceAll("_", " ")), " ", code(one.subject)], one.reason, one.remedy,
            one.saved_share == null ? "" : `${format.percent(one.saved_share, 0)} of it`,
          ]})))),
      report.per_thousand?.length > 0 && section("Per thousand", table("What a thousand cost",
        {Of: "text", Count: "number", "Own": "number", "With its share of the rest": "number"},
        report.per_thousand.map((one) => ({key: one.unit, cells: [one.unit, format.count(one.count), money(one.own), money(one.loaded)]})))),
      section("By operator", byOperator(report, cpu, money)),
      section("By source, view and model", bySubject(report, cpu, money)),
      section("Held", table("Memory and disk", {Medium: "text", Part: "text", For: "text", Bytes: "number"},
        usage.holdings.toSorted((left, right) => right.bytes - left.bytes).slice(0, 40).map((one) => ({
          key: `${one.medium}${one.part}${one.kind}${one.subject}`,
          cells: [one.medium, one.part, one.subject ? [one.kind, " ", code(one.subject)] : "the process", format.bytes(one.bytes)],
        })))),
      report.unpriced?.length > 0 && notice("plain", `Without a price: ${report.unpriced.join(", ")}.`));
  },
};

function byOperator({usage, lines, priced}, cpu, money) {
  const sums = new Map();
  const at = (name) => sums.get(name) ?? sums.set(name, {cpu: 0, cost: 0}).get(name);
  for (const line of usage.lines) at(line.operator).cpu += line.cpu_ns ?? 0;
  for (const line of lines ?? []) at(line.operator).cost += line.cost ?? 0;
  const rows = [...sums].filter(([, one]) => one.cpu > 0 || one.cost > 0)
    .toSorted(([, left], [, right]) => right.cost - left.cost || right.cpu - left.cpu);
  return table("By operator", {Operator: "text", "CPU": "number", Share: "number", "": "text", ...(priced ? {Cost: "number"} : {})},
    rows.map(([name, one]) => ({key: name, cells: [
      h("strong", null, name === "__idle__" ? "idle cores" : name), one.cpu > 0 ? format.duration(one.cpu / 1e6) : format.none,
      one.cpu > 0 ? format.percent(one.cpu / cpu) : format.none, bar(one.cpu / cpu), ...(priced ? [money(one.cost)] : []),
    ]})));
}

function bySubject({usage, subjects, priced}, cpu, money) {
  const sums = new Map();
  for (const line of usage.lines) {
    if (line.kind === "process") continue;
    const key = `${line.kind} ${line.subject}`;
    sums.set(key, (sums.get(key) ?? 0) + (line.cpu_ns ?? 0));
  }
  const prices = new Map((subjects ?? []).map((one) => [`${one.kind} ${one.name}`, one]));
  const rows = [...sums].toSorted(([, left], [, right]) => right - left);
  return table("By source, view and model",
    {What: "text", CPU: "number", Share: "number", "": "text", ...(priced ? {Tenant: "text", Direct: "number", "With its share of the rest": "number"} : {})},
    rows.map(([key, spent]) => {
      const price = prices.get(key);
      const [kind, ...name] = key.split(" ");
      return {key, cells: [
        [`${kind} `, code(name.join(" "))], format.duration(spent / 1e6), format.percent(spent / cpu), bar(spent / cpu),
        ...(priced ? [price?.tenant ?? "", money(price?.direct ?? null), money(price?.loaded ?? null)] : []),
      ]};
    }), "Nothing was done yet.");
}
