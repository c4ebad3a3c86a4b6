import Core
import Testing

@testable import Runtime

@Suite struct CorrectionRecordTests {
  private let record = CorrectionRecord(
    id: "correction-1", topology: "pay", model: "fraud", version: 3, contentHash: "abc", topic: "payments",
    ranges: [0: 5..<9, 2: 0..<1], actor: "somebody", reason: "amounts in \"cents\"", predictionCount: 7,
    correctedCount: 4, atMilliseconds: 1_700_000_000_000)

  @Test func `a record reads back as it was written`() {
    #expect(CorrectionRecord(json: record.encoded) == record)
    #expect(CorrectionRecord(json: Array("{}".utf8)) == nil)
    #expect(CorrectionRecord(json: Array(#"{"id":"x"}"#.utf8)) == nil)
  }

  @Test func `the control topic remembers who corrected what`() {
    var state = ControlState()
    state.apply(.corrected(record), offset: 4)
    var other = record
    other.id = "correction-2"
    state.apply(.corrected(other), offset: 5)
    #expect(state.corrections.map(\.id) == ["correction-1", "correction-2"])
  }
}
