import Columns
import Core
import TestSupport
import Testing

@testable import OfflineStore
@testable import Training

@Suite struct TrainingDatasetTests {
  private let specification = TrainingSpecification(trainer: .logistic(LogisticParameters()), label: "won")

  private func times(_ dataset: TrainingDataset, _ part: TrainingPart) throws -> [Int64] {
    var times: [Int64] = []
    try dataset.forEachRows(part, wantsFeatures: false) { times += $0.timesMilliseconds }
    return times
  }

  @Test(arguments: [DatasetSplit.none, .time(0.75), .entity(0.6)])
  func `every row is of one part, validation is the end of training`(_ split: DatasetSplit) throws {
    let folder = try TestFolder()
    let dataset = try SampleDataset.binary(rows: 1_000, seed: 1, split: split).open(folder.path, specification)
    let parts = try TrainingPart.allCases.map { try times(dataset, $0) }
    #expect(Set(parts.flatMap(\.self)).count == 1_000 && parts.flatMap(\.self).count == 1_000)
    #expect(parts.allSatisfy { !$0.isEmpty })
    #expect(try #require(parts[0].max()) < #require(parts[1].min()))
    if split == .none {
      #expect(try #require(parts[1].max()) < #require(parts[2].min()))
      #expect(parts.map(\.count) == [640, 160, 200])
    }
  }

  @Test func `nulls are NaN, flags are 0 and 1, rows without a label are left out`() throws {
    let folder = try TestFolder()
    var specification = specification
    specification.label = "c > 1050"
    specification.validationShare = 0
    let sample = SampleDataset.binary(rows: 400, seed: 1)
    let dataset = try sample.open(folder.path, specification)
    var rows = 0
    let counts = try dataset.forEachRows(.train, extras: ["user"]) { (batch) in
      for row in 0..<batch.count {
        let own = Array(batch.features[row * 4..<row * 4 + 4])
        #expect(!own[2].isNaN && (own[3] == 0 || own[3] == 1) && (own[2] > 1_050) == (batch.labels[row] == 1))
        #expect(batch.extras.columns[0].isValid[row])
      }
      rows += batch.count
    }
    #expect(counts == RowCounts(rows: 300, unlabelled: 43) && rows == 257)
  }

  @Test func `text features are refused, all at once`() throws {
    let folder = try TestFolder()
    var sample = SampleDataset.binary(rows: 100, seed: 1)
    for name in ["city", "shop"] { sample.features.append((name, sample.labels[1].column)) }
    let (catalog, entry) = try sample.write(folder.path)
    let error = #expect(throws: HeadraceError.self) {
      _ = try TrainingDataset(catalog, entry, specification: specification)
    }
    #expect(error?.code == "TRAINING_FEATURE")
    #expect(error?.message.contains("city is string, shop is string") == true)
  }

  @Test func `files that are not as the manifest says are refused`() throws {
    let folder = try TestFolder()
    let sample = SampleDataset.binary(rows: 200, seed: 1)
    var (catalog, entry) = try sample.write(folder.path)
    entry.manifest.fields[3].type = "integer"
    #expect(
      codeThrown { _ = try times(try TrainingDataset(catalog, entry, specification: specification), .test) } == nil)
    let dataset = try TrainingDataset(catalog, entry, specification: specification)
    #expect(codeThrown { try dataset.forEachRows(.test) { _ in } } == "MANIFEST_INVALID")
    entry.manifest.files[0].rowCount += 1
    #expect(codeThrown { _ = try TrainingDataset(catalog, entry, specification: specification) } == "MANIFEST_INVALID")
  }
}
