import Columns
import Core
import Drift
import OfflineStore
import Testing

@testable import Monitoring

/// Rows in memory, in pieces of any size.
private struct Rows: ColumnSource {
  var place = "rows"
  var fields: [(name: String, type: ColumnType)]
  var pieces: [[Column]]

  var pieceCount: Int { pieces.count }

  func forEachBatch(
    of piece: Int, columns: [String], _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let chosen = columns.map { name in pieces[piece][fields.firstIndex { $0.name == name } ?? 0] }
    try body(ColumnBatch(columns: chosen, rowCount: chosen.first?.count ?? 0))
  }

  init(_ names: [String], _ pieces: [[Column]], place: String = "rows") {
    fields = zip(names, pieces.first ?? []).map { ($0, $1.type) }
    self.pieces = pieces
    self.place = place
  }
}

@Suite struct BatchComparisonTests {
  private func numbers(_ values: [Double?]) -> Column {
    var column = Column(.double)
    for value in values { if let value { column.append(value) } else { column.appendNull() } }
    return column
  }

  private func random(_ count: Int, shift: Double, seed: UInt64) -> [Double?] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      let bits = random.next()
      return bits % 50 == 0 ? nil : Double(bits >> 11) * 0x1p-53 + shift
    }
  }

  @Test func `pieces and threads leave no trace in exact figures`() throws {
    let (before, now) = (random(3_000, shift: 0, seed: 1), random(2_000, shift: 0.1, seed: 2))
    let whole = DriftComparison().compare(
      "x", .numeric(NumericWindow(numbers(before))), .numeric(NumericWindow(numbers(now))))
    for threads in [1, 3] {
      let reference = Rows(
        ["x"],
        stride(from: 0, to: 3_000, by: 700).map { start in
          [numbers(Array(before[start..<min(start + 700, 3_000)]))]
        })
      let report = try BatchComparison(DriftComparison(), threadCount: threads).run(
        reference, Rows(["x"], [[numbers(now)]]))
      #expect(report.features == [whole])
      #expect(report.referenceRowCount == 3_000 && report.currentRowCount == 2_000)
    }
  }

  @Test func `sketches of a large side bound the exact figure`() throws {
    let rows = BatchComparison.exactRowsMaximum + 10
    let (before, now) = (random(rows, shift: 0, seed: 3), random(50_000, shift: 0.05, seed: 4))
    let (reference, current) = (Rows(["x"], [[numbers(before)]]), Rows(["x"], [[numbers(now)]]))
    let tests: [DriftTest] = [.psi, .kolmogorovSmirnov, .wasserstein, .missing]
    let sketched = try BatchComparison(DriftComparison(tests: tests)).run(reference, current)
    let exact = try BatchComparison(DriftComparison(tests: tests), isAlwaysExact: true).run(reference, current)
    for test in [DriftTest.kolmogorovSmirnov, .wasserstein] {
      let estimate = try #require(sketched.features.first?[test]?.score.estimate)
      let figure = try #require(exact.features.first?[test]?.score.score)
      #expect(!estimate.isExact)
      #expect(estimate.lowerBound <= figure && figure <= estimate.upperBound)
      #expect(estimate.upperBound - estimate.lowerBound < 0.05)
    }
    #expect(sketched.features.first?[.missing] == exact.features.first?[.missing])
  }

  @Test func `a value that is never there is compared by what is missing`() throws {
    let nothing = Rows(["x"], [[numbers([nil, .nan, nil])]])
    let report = try BatchComparison(DriftComparison()).run(nothing, Rows(["x"], [[numbers([1, 2])]]))
    #expect(report.features.first?.results.map(\.test) == [.missing])
    #expect(report.features.first?[.missing]?.score.score == 1)
  }

  @Test func `what cannot be compared is named`() throws {
    var text = Column(.string)
    text.append("a")
    let (left, right) = (Rows(["x"], [[numbers([1])]]), Rows(["x"], [[text]]))
    func code(_ comparison: BatchComparison, _ reference: Rows, _ current: Rows) -> String? {
      do throws(HeadraceError) {
        _ = try comparison.run(reference, current)
        return nil
      } catch {
        return error.code
      }
    }
    let all = BatchComparison(DriftComparison())
    #expect(code(all, left, right) == "DRIFT_TYPE")
    #expect(code(BatchComparison(DriftComparison(), features: ["y"]), left, left) == "DRIFT_COLUMN")
    #expect(code(all, left, Rows(["y"], [[numbers([1])]])) == "DRIFT_NO_COLUMNS")
    #expect(code(all, left, Rows(["x"], [[numbers([])]])) == "DRIFT_EMPTY")
  }
}
