import Core
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// Who won, when the store does not say so.
@Suite struct BlobCreationTests {
  /// A store whose answers to `putIfAbsent` and `read` go wrong in the order given; then all is well.
  private static func store(
    _ inner: MemoryBlobStore, puts: [FaultyBlobStore.Verdict], reads: [FaultyBlobStore.Verdict] = []
  ) -> FaultyBlobStore {
    let script = Mutex((puts: puts[...], reads: reads[...]))
    return FaultyBlobStore(inner) { operation, _ in
      script.withLock { script in
        switch operation {
        case .putIfAbsent: script.puts.popFirst() ?? .proceed
        case .read: script.reads.popFirst() ?? .proceed
        default: .proceed
        }
      }
    }
  }

  @Test(arguments: [
    [FaultyBlobStore.Verdict.applyAndFail], [.lose], [.fail], [.lose, .applyAndFail], [.fail, .lose, .lose, .proceed],
  ])
  func `a writer that is alone wins, whatever it is told`(puts: [FaultyBlobStore.Verdict]) throws {
    let inner = MemoryBlobStore()
    let name = try BlobName("x")
    let store = Self.store(inner, puts: puts, reads: [.proceed, .fail])
    #expect(try store.create(name, [7]) == .created)
    #expect(try inner.read(name, bytesMax: 9) == [7])
  }

  @Test func `a time-out that hid a defeat is a defeat`() throws {
    let inner = MemoryBlobStore()
    let name = try BlobName("x")
    #expect(try inner.putIfAbsent(name, [1]))
    let store = Self.store(inner, puts: [.lose, .lose])
    #expect(try store.create(name, [7]) == .exists([1]))
  }

  @Test func `a refusal that is the echo of our own success is a success`() throws {
    let inner = MemoryBlobStore()
    let name = try BlobName("x")
    #expect(try inner.putIfAbsent(name, [7]))
    #expect(try inner.create(name, [7]) == .created)
  }

  @Test func `a store that never answers leaves the outcome unknown`() throws {
    let inner = MemoryBlobStore()
    let store = FaultyBlobStore(inner) { _, _ in .applyAndFail }
    let error = #expect(throws: HeadraceError.self) {
      try store.create(try BlobName("x"), [7], attemptsMax: 3)
    }
    #expect(error?.retry == .unknownOutcome)
    #expect(error?.code == "STORE_OUTCOME_UNKNOWN")
  }
}
