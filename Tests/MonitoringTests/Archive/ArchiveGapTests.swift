import Core
import Testing

@testable import Monitoring

/// What is said of tables that cannot go on where they are.
@Suite struct ArchiveGapTests {
  @Test func `a log that ends before its table is another one, and what retention took has a range`() {
    #expect(ArchiveGap(position: nil, beginning: 5, end: 9) == nil)
    for position in Int64(5)...9 { #expect(ArchiveGap(position: position, beginning: 5, end: 9) == nil) }
    #expect(ArchiveGap(position: 1_000_000, beginning: 0, end: 9) == .logBeginsAgain(end: 9))
    #expect(ArchiveGap(position: 2, beginning: 5, end: 9) == .lost(2..<5))
  }

  @Test func `a table that is wrong as it lies there keeps no other one waiting, a store that is away does`() {
    let cases: [(HeadraceError, Bool)] = [
      (HeadraceError(.user, "TABLE_COLUMNS", "the table has other columns"), true),
      (HeadraceError(.user, "DELTA_UNSUPPORTED", "a feature"), true),
      (HeadraceError(.external, "DELTA_LOG_CORRUPT", "no JSON"), true),
      (HeadraceError(.external, "S3_UNAVAILABLE", "503", retry: .sameCall), false),
      (HeadraceError(.external, "S3_DENIED", "403"), false),
      (HeadraceError(.external, "STORE_OUTCOME_UNKNOWN", "who knows", retry: .unknownOutcome), false),
    ]
    for (error, isOfTable) in cases { #expect(ModelArchiveWorker.isOfTable(error) == isOfTable, "\(error)") }
  }
}
