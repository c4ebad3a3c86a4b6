import Contracts
import Core
import Testing

@testable import Monitoring

@Suite struct SourceColumnsTests {
  @Test func `a record whose schema is on its way is waited for, one that breaks its contract is not`() throws {
    let broken = FaultCode.allCases.filter { !$0.isTransient }.map { RecordFault(row: 0, code: $0) }
    try SourceColumns.check([], topic: "labels")
    try SourceColumns.check(broken, topic: "labels")
    let error = #expect(throws: HeadraceError.self) {
      try SourceColumns.check(broken + [RecordFault(row: 7, code: .schemaUnavailable)], topic: "labels")
    }
    #expect(error?.code == "SCHEMA_NOT_HERE" && error?.retry == .sameCall && error?.place == "labels")
  }
}
