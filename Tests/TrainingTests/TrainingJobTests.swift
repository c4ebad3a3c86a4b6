import Core
import Storage
import TestSupport
import Testing

@testable import Inference
@testable import OfflineStore
@testable import Training

@Suite struct TrainingJobTests {
  static let trainers: [TrainingSpecification.Trainer] = {
    var trees = XGBoostParameters()
    (trees.rounds, trees.checkpointRounds, trees.subsample, trees.columnSample) = (40, 10, 0.7, 0.6)
    return [.xgboost(trees), .logistic(LogisticParameters())]
  }()

  @Test(arguments: trainers)
  func `the same data and seed give the same file`(_ trainer: TrainingSpecification.Trainer) throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(trainer: trainer, label: "won", seed: 7)
    let dataset = try SampleDataset.binary(rows: 3_000, seed: 1).open("\(folder.path)/d", specification)
    let models = try (0..<2).map { number in
      try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w\(number)").run()
    }
    #expect(models[0].contentHash == models[1].contentHash)
    let model = try Model(TestFolder.contents(models[0].path), place: "model")
    #expect(model.featureNames == ["a", "b", "c", "flag"])
  }

  @Test(arguments: trainers)
  func `the model is better than nothing, and Headrace says so`(_ trainer: TrainingSpecification.Trainer) throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(trainer: trainer, label: "won")
    let dataset = try SampleDataset.binary(rows: 6_000, seed: 2).open("\(folder.path)/d", specification)
    let model = try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w").run()
    var options = ModelEvaluation.Options()
    options.slices = ["user", "b > 5", "flag"]
    let report = try ModelEvaluation.evaluate(
      [.init(name: "new", role: .challenger, bytes: try TestFolder.contents(model.path))], on: dataset, options: options
    )
    let area = try #require(report.challenger?["auc"])
    #expect(area.value > 0.75)
    #expect(report.difference("auc", against: .baseline)?.isBetter() == true)
    #expect(report.difference("log_loss", against: .baseline)?.isBetter() == true)
    #expect(report.rowCount == 1_500 && report.trainingRowCount == 4_500)
    #expect(report.findings.isEmpty, "\(report.findings)")
    #expect(report.slices.contains { $0.name == "b > 5" } && report.slices.contains { $0.name == "flag = true" })
    #expect(try EvaluationReport(json: report.json) == report)
  }

  @Test func `a training that stops anywhere goes on to the same bits`() throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(trainer: Self.trainers[0], label: "won", seed: 3)
    let dataset = try SampleDataset.binary(rows: 2_000, seed: 3).open("\(folder.path)/d", specification)
    let whole = try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/whole")
      .run()
    for stop in [1, 9, 10, 11, 25, 39] {
      let work = "\(folder.path)/stop\(stop)"
      let job = TrainingJob(specification: specification, dataset: dataset, workFolder: work)
      let rounds = Counter()
      #expect(codeThrown { _ = try job.run(isCancelled: { rounds.next() > stop }) } == "TRAINING_CANCELLED")
      #expect(TestFolder.names(work).contains("checkpoint") == (stop > 12), "stopped after \(stop)")
      #expect(try job.run().contentHash == whole.contentHash, "stopped after \(stop)")
    }
  }

  @Test func `a folder that holds another training begins anew, a finished one answers`() throws {
    let folder = try TestFolder()
    var specification = TrainingSpecification(trainer: Self.trainers[1], label: "won")
    let dataset = try SampleDataset.binary(rows: 500, seed: 3).open("\(folder.path)/d", specification)
    let first = try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w").run()
    let again = try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w").run()
    #expect(again == first)
    specification.trainer = .logistic(try LogisticParameters(settings: [("l2", "50")]))
    let other = try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w").run()
    #expect(other.contentHash != first.contentHash)
  }

  @Test func `what cannot be trained says why`() throws {
    let folder = try TestFolder()
    var specification = TrainingSpecification(trainer: Self.trainers[0], label: "wonn")
    let (catalog, entry) = try SampleDataset.binary(rows: 300, seed: 4).write("\(folder.path)/d")
    #expect(codeThrown { _ = try TrainingDataset(catalog, entry, specification: specification) } == "TRAINING_LABEL")
    specification.label = "b"
    let dataset = try TrainingDataset(catalog, entry, specification: specification)
    let job = TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w")
    #expect(codeThrown { _ = try job.run() } == "TRAINING_LABEL")
    specification.label = "b > 100"
    let constant = try TrainingDataset(catalog, entry, specification: specification)
    let other = TrainingJob(specification: specification, dataset: constant, workFolder: "\(folder.path)/w")
    #expect(codeThrown { _ = try other.run() } == "TRAINING_DATA")
    specification.label = "won"
    specification.budget.memoryBytes = 1_000
    let small = try TrainingDataset(catalog, entry, specification: specification)
    let third = TrainingJob(specification: specification, dataset: small, workFolder: "\(folder.path)/w")
    #expect(codeThrown { _ = try third.run() } == "TRAINING_MEMORY")
    #expect(codeThrown { _ = try XGBoostParameters(settings: [("max_dept", "3")]) } == "TRAINING_PARAMETER")
  }

  @Test func `numbers and several classes are learned, too`() throws {
    let folder = try TestFolder()
    var settings = XGBoostParameters()
    settings.rounds = 60
    for (objective, label, metric) in [
      (TrainingObjective.regression, "a * 3 + b", "mae"), (.multiclass, "b // 4", "log_loss"),
    ] {
      let specification = TrainingSpecification(trainer: .xgboost(settings), label: label, objective: objective)
      let dataset = try SampleDataset.binary(rows: 3_000, seed: 5).open("\(folder.path)/\(metric)", specification)
      let model = try TrainingJob(
        specification: specification, dataset: dataset, workFolder: "\(folder.path)/w\(metric)"
      ).run()
      var options = ModelEvaluation.Options()
      options.checksLeakage = false
      let report = try ModelEvaluation.evaluate(
        [.init(name: "new", role: .challenger, bytes: try TestFolder.contents(model.path))], on: dataset,
        options: options)
      #expect(report.difference(metric, against: .baseline)?.isBetter() == true, "\(report)")
    }
  }
}

extension TrainingJobTests {
  @Test func `a label larger than every whole number is a number like any other`() throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(trainer: Self.trainers[0], label: "b", objective: .regression)
    let dataset = try SampleDataset.binary(rows: 300, seed: 6).open("\(folder.path)/d", specification)
    #expect(try LabelSummary([1e30, -1e30, 3e38], dataset).mean.isFinite)
  }

  @Test func `a folder that is busy is left alone, and nobody else's descriptor is closed`() throws {
    let folder = try TestFolder()
    let holder = try WorkFolder("\(folder.path)/w", isCancelled: { false })
    for _ in 0..<50 {
      #expect(codeThrown { _ = try WorkFolder("\(folder.path)/w", isCancelled: { true }) } == "TRAINING_CANCELLED")
    }
    try holder.write("job", [1])
    #expect(try holder.read("job", bytesMax: 10) == [1])
  }
}

/// Counts how often it was asked.
final class Counter {
  private var count = 0

  func next() -> Int {
    count += 1
    return count
  }
}
