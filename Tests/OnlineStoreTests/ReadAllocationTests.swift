import CAllocations
import Columns
import Core
import Features
import TestSupport
import Testing

@testable import OnlineStore

/// Memory that a read of a row in memory asks for.
@Suite struct ReadAllocationTests {
  #if !DEBUG
    @Test func `a read of a row in memory allocates nothing`() throws {
      let folder = try TestFolder()
      let store = try TaskStore(path: folder.path)
      let view = try store.namespace(for: try TestViews.layout(isWider: true)).view
      let time: Int64 = 1_700_000_000_000
      var batch = TestBatch()
      let names = (0..<100).map { Value.string("user-\($0)") }
      for (offset, name) in names.enumerated() {
        let key = try #require(EntityKey.encode([name]))
        batch.append(key, Double(offset), offset: Int64(offset), time: time, watermark: time)
      }
      try store.apply(view: view, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows, headers: batch.headers)
      var key = EntityKey(bytes: [])
      var values: [FeatureValue] = []
      var found = 0
      func readAll() throws {
        for name in names {
          guard key.replace(partCount: 1, { _ in name }) else { continue }
          try store.read(
            view: view, key: key, at: time, watermark: time, features: [0, 1, 2, 3, 4], into: &values)
          found += values.allSatisfy { $0.status == .present } ? 1 : 0
        }
      }
      // Buffers grow once.
      try readAll()
      let before = allocations_of_thread()
      try readAll()
      let allocations = allocations_of_thread() - before
      #expect(found == 2 * names.count)
      #expect(allocations == 0)
      store.close()
    }
  #endif
}
