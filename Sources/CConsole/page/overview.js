// How the work is going.

import {badge, code, figureTile, h, notice, page, section, sparkline, table} from "./elements.js";
import * as format from "./format.js";

const samplesMax = 150;

export const overview = {
  id: "overview",
  title: "Overview",
  everySeconds: 2,

  async load(context) {
    const [tasks, ready, usefulness, running] = await Promise.all([
      context.call("tasks"), context.call("ready"), context.call("usefulness"), context.call("running"),
    ]);
    const samples = (context.state.samples ??= []);
    // The server's clock has whole seconds here: rates are measured by this machine's.
    samples.push({at: performance.now(), read: Object.fromEntries(tasks.sources.map((source) => [source.name, source.read]))});
    if (samples.length > samplesMax) samples.shift();
    return {tasks, ready, usefulness, running, samples: [...samples], now: context.now};
  },

  render({tasks: report, ready, usefulness, running, samples, now}) {
    const {tasks, sources, tables} = report;
    const inputs = tasks.flatMap((task) => task.inputs);
    const lags = inputs.map((input) => input.lag_records);
    const lag = lags.some((value) => value === null) || lags.length === 0 ? null : sum(lags);
    const watermarks = tasks.map((task) => task.watermark).filter(Boolean).map((text) => new Date(text).getTime());
    const checkpoints = tasks.map((task) => task.checkpoint_age_seconds).filter((age) => age !== null);
    const waiting = sum(inputs.map((input) => Math.max(0, input.position - (input.committed_offset ?? input.position))));
    const readable = tasks.filter((task) => task.readable).length;
    if (sources.length === 0 && tasks.length === 0) {
      return page("Overview", null, status(ready),
        notice("plain", "This process serves models alone: it reads no topics. ", h("a", {href: "#/models"}, "See its models."))
      );
    }
    return page("Overview", null,
      status(ready),
      h("dl.tiles", {"data-key": "tiles"},
        figureTile("Events a second", format.rate(rate(samples, sources.map((source) => source.name))),
          `${format.count(sum(sources.map((source) => source.read)))} read in all`),
        figureTile("Behind the log", lag === null ? format.none : `${format.count(lag)}`,
          lag === null ? "the end is not known" : lag === 1 ? "record" : "records", lag > 10_000 ? "warn" : ""),
        figureTile("Event time lag",
          watermarks.length === 0 ? format.none : format.duration(now - Math.min(...watermarks)),
          watermarks.length === 0 ? "no event yet" : `up to ${format.moment(Math.min(...watermarks))}`),
        figureTile("Readable tasks", `${readable} of ${tasks.length}`, null, readable < tasks.length ? "warn" : ""),
        figureTile("Oldest checkpoint", checkpoints.length === 0 ? format.none : format.duration(Math.max(...checkpoints) * 1e3),
          "since a restart would read again"),
        figureTile("Applied, not committed", format.count(waiting), "records since the last commit")),
      section("Throughput",
        h("div.chart", null,
          sparkline(rates(samples), {label: "Events a second since this page was opened", width: 720, height: 96, isWide: true}),
          h("p.note", null, samples.length < 2 ? "Measured from now on, while this page is open."
            : `Events a second over the last ${format.duration(samples.at(-1).at - samples[0].at)}; the most were ${format.rate(Math.max(...rates(samples).map((point) => point.value)))}.`))),
      section("Sources", table("Sources and what became of their records",
        {Source: "text", Topic: "text", "Read": "number", "/s": "number", Applied: "number", Repaired: "number",
          Filtered: "number", Duplicates: "number", Late: "number", "Dead-lettered": "number", Adds: "text"},
        sources.map((source) => {
          const parts = [source.applied, source.repaired, source.filtered, source.deduplicated, source.late, source.dead_lettered];
          const isConserved = sum(parts) === source.read;
          return {key: source.name, cells: [
            h("strong", null, source.name), code(source.topic), format.count(source.read),
            format.rate(rate(samples, [source.name])), ...parts.map(format.count),
            isConserved ? badge("up", "good", "read = applied + repaired + filtered + duplicates + late + dead-lettered")
              : badge("does not", "bad", `off by ${source.read - sum(parts)}`),
          ]};
        }))),
      section("Tasks", table("Tasks: one for each partition number",
        {Partition: "text", State: "text", Behind: "number", "Event time": "time", "Age": "number", "Checkpoint": "number",
          "Uncommitted": "number", Remarks: "text"},
        tasks.map((task) => ({key: String(task.partition), cells: [
          task.partition, badge(task.state, task.readable ? "good" : task.state === "stopped" ? "bad" : "warn"),
          format.count(sumOrNull(task.inputs.map((input) => input.lag_records))),
          task.watermark ? format.moment(task.watermark) : format.none,
          task.watermark ? format.duration(now - new Date(task.watermark)) : format.none,
          task.checkpoint_age_seconds === null ? format.none : format.duration(task.checkpoint_age_seconds * 1e3),
          format.count(sum(task.inputs.map((input) => Math.max(0, input.position - (input.committed_offset ?? input.position))))),
          [task.why_not_moving, ...task.building.map((build) =>
            `builds ${build.view}: ${format.percent(build.target > 0 ? build.position / build.target : 1, 0)}`)]
            .filter(Boolean).join("; "),
        ]})), "The workers have not started.")),
      running.trouble && notice("bad", `Newer versions of models are not taken: ${running.trouble}`),
      usefulness.models.length > 0 && section("Models", table("Whether each model is of use",
        {Model: "text", Use: "text", "Fresh enough": "text", Drift: "text", Accuracy: "text"},
        usefulness.models.map((model) => ({key: model.model, cells: [
          h("strong", null, model.model), badge(model.useful ? "yes" : "overspent", model.useful ? "good" : "bad"),
          budgets(model.freshness), budgets(model.drift), budgets(model.accuracy),
        ]})))),
      tables.length > 0 && section("Tables", table("Rows on their way to tables",
        {Table: "text", Waiting: "number", "Oldest": "number", Written: "number", Failures: "number", "Last failure": "text"},
        tables.map((one) => ({key: one.name, cells: [
          code(one.name), format.count(one.waiting_rows), one.waiting_rows > 0 ? format.duration(one.oldest_waiting_ms) : format.none,
          format.count(one.published_rows), one.failures > 0 ? badge(String(one.failures), "warn") : "0", one.last_failure ?? "",
        ]})))));
  },
};

function status(ready) {
  if (ready.ready) return h("p.state.good", {"data-key": "status"}, "Ready: every task can be read, and moves or has nothing to do.");
  const reasons = [
    ready.failure, ...ready.not_moving.map((task) => `task ${task.partition}: ${task.why}`),
    ready.not_readable.length > 0 && `${ready.not_readable.length} tasks cannot be read yet (${ready.not_readable[0].state})`,
  ].filter(Boolean);
  return h("p.state.bad", {"data-key": "status"}, `Not ready: ${reasons.join("; ") || "it does not say why"}.`);
}

function budgets(list) {
  const known = list.filter((budget) => budget.kept !== null);
  if (known.length === 0) return h("span.note", null, "not known");
  const broken = known.filter((budget) => !budget.kept);
  if (broken.length === 0) return badge(`${known.length} kept`, "good");
  return broken.map((budget) => badge(
    `${budget.name} ${format.figure(budget.value)} ${budget.limit_is === "upper" ? ">" : "<"} ${format.figure(budget.limit)}`, "bad"));
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function sumOrNull(values) {
  return values.some((value) => value === null) ? null : sum(values);
}

/** Of the last ten seconds or so. */
function rate(samples, names) {
  const last = samples.at(-1);
  const first = samples.find((sample) => last.at - sample.at <= 10_000);
  if (!first || first === last || last.at === first.at) return null;
  return perSecond(first, last, names);
}

function perSecond(first, last, names) {
  const records = sum(names.map((name) => Math.max(0, (last.read[name] ?? 0) - (first.read[name] ?? 0))));
  return records / ((last.at - first.at) / 1_000);
}

function rates(samples) {
  return samples.slice(1).flatMap((sample, index) => sample.at > samples[index].at
    ? [{value: perSecond(samples[index], sample, Object.keys(sample.read))}] : []);
}
