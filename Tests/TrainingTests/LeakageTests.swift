import Columns
import Core
import TestSupport
import Testing

@testable import OfflineStore
@testable import Training

@Suite struct LeakageTests {
  private func findings(
    _ sample: SampleDataset, label: String = "won", objective: TrainingObjective = .binary, entities: [String]? = nil
  ) throws -> [TrainingFinding] {
    let folder = try TestFolder()
    let specification = TrainingSpecification(
      trainer: .logistic(LogisticParameters()), label: label, objective: objective)
    return try LeakageCheck.findings(try sample.open(folder.path, specification), entities)
  }

  @Test func `an honest dataset has no finding`() throws {
    #expect(try findings(SampleDataset.binary(rows: 1_000, seed: 1)).isEmpty)
  }

  @Test func `a dataset split by entity may overlap in time, and not in entities`() throws {
    let found = try findings(SampleDataset.binary(rows: 1_000, seed: 1, split: .entity(0.7)), entities: ["user"])
    #expect(found.map(\.kind) == [.timeOverlap, .entityOverlap])
    #expect(found.map(\.severity) == [.information, .error])
    let guessed = try findings(SampleDataset.binary(rows: 1_000, seed: 1, split: .entity(0.7)))
    #expect(guessed.map(\.severity) == [.information, .warning])
  }

  @Test func `a column whose nulls tell the label is found`() throws {
    var sample = SampleDataset.binary(rows: 1_000, seed: 1)
    var column = Column(.double)
    for row in 0..<1_000 {
      if sample.labels[2].column.integers[row] == 1 { column.append(Double(row)) } else { column.appendNull() }
    }
    sample.features.append(("told", column))
    let found = try findings(sample)
    #expect(found.map(\.kind) == [.featureTooGood] && found.map(\.subject) == ["told"], "\(found)")
  }

  @Test func `numbers that follow a number are found`() throws {
    let found = try findings(SampleDataset.binary(rows: 1_000, seed: 1), label: "c * 2 + 1", objective: .regression)
    #expect(found.map(\.subject) == ["c"] && found.map(\.kind) == [.featureTooGood], "\(found)")
    let same = try findings(SampleDataset.binary(rows: 1_000, seed: 1), label: "b", objective: .multiclass)
    #expect(same.map(\.kind) == [.featureIsLabel], "\(same)")
  }

  @Test func `a sample is bounded and keeps labels with their rows`() throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(
      trainer: .logistic(LogisticParameters()), label: "b", objective: .regression)
    let dataset = try SampleDataset.binary(rows: 90_000, seed: 1).open(folder.path, specification)
    var sample = FeatureSample(dataset)
    for part in TrainingPart.allCases { try dataset.forEachRows(part) { sample.add($0) } }
    #expect(sample.labels.count <= FeatureSample.rowsMax && sample.labels.count > FeatureSample.rowsMax / 2)
    let column = sample.column(1)
    #expect(zip(column.values, column.labels).allSatisfy { $0 == Double($1) })
  }
}
