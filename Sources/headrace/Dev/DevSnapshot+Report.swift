internal import Serving
internal import Topology

extension DevSnapshot {
  /// What a process does now.
  init(_ plan: Plan, _ report: EngineReport, bootstrap: String, address: String) {
    self.init(topology: plan.name, bootstrap: bootstrap, address: address)
    sources = plan.sources.map { source in
      let found = report.sources.first { $0.name == source.name }
      return Source(
        name: source.name, topic: source.topic, read: found?.read ?? 0,
        counted: (found?.applied ?? 0) + (found?.repaired ?? 0),
        leftOut: (found?.filtered ?? 0) + (found?.deduplicated ?? 0), late: found?.late ?? 0,
        deadLettered: found?.deadLettered ?? 0)
    }
    views = plan.views.map { view in
      View(
        name: view.name, entity: plan.entities[view.entity].name, source: plan.sources[view.source].name,
        features: view.features.map(\.name))
    }
    tasks = report.tasks.count
    readableTasks = report.tasks.filter(\.isReadable).count
    let lags = report.tasks.flatMap(\.inputs).map(\.lag)
    lagRecords = lags.isEmpty || lags.contains(nil) ? nil : lags.compactMap(\.self).reduce(0, +)
    lagMilliseconds = report.tasks.compactMap(\.lagMilliseconds).max()
    watermarkMilliseconds = report.tasks.compactMap(\.watermarkMilliseconds).max()
    checkpointAgeMilliseconds = report.tasks.compactMap(\.checkpointAgeMilliseconds).max()
    for task in report.tasks {
      if let why = task.whyNotMoving, !obstacles.contains(why) { obstacles.append(why) }
    }
  }
}
