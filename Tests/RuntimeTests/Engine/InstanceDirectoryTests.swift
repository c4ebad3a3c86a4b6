import Core
import Testing

@testable import Runtime

/// Who has which task, by what the processes have told.
@Suite struct InstanceDirectoryTests {
  private static func record(_ instance: String, _ partitions: [Int32], topology: String = "t") -> InstanceRecord {
    InstanceRecord(topology: topology, instance: instance, address: "\(instance):1", partitions: partitions)
  }

  @Test func `of two claims the one that began later counts, until its process goes`() {
    var directory = InstanceDirectory(topology: "t")
    directory.apply(key: "t/a", Self.record("a", [0, 1, 2]), offset: 0)
    directory.apply(key: "t/b", Self.record("b", [2]), offset: 1)
    #expect(directory.owner(of: 2)?.instance == "b" && directory.owner(of: 0)?.address == "a:1")
    // What is dead claims 2 still; it says nothing new of it by telling of another task.
    directory.apply(key: "t/a", Self.record("a", [0, 1, 2, 3]), offset: 2)
    #expect(directory.owner(of: 2)?.instance == "b" && directory.owner(of: 3)?.instance == "a")
    directory.apply(key: "t/b", nil, offset: 3)
    #expect(directory.owner(of: 2)?.instance == "a")
    // Another topology's, a record that is known, and one under another's key.
    directory.apply(key: "u/c", Self.record("c", [0], topology: "u"), offset: 4)
    directory.apply(key: "t/d", Self.record("d", [0]), offset: 3)
    directory.apply(key: "t/e", Self.record("f", [0]), offset: 5)
    #expect(directory.owner(of: 0)?.instance == "a" && directory.owner(of: 9) == nil)
  }

  @Test func `random histories, against reading them from the end`() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<300 {
      var directory = InstanceDirectory(topology: "t")
      var history: [(instance: Int, partitions: Set<Int32>)] = []
      for offset in 0..<Int64.random(in: 0..<40, using: &random) {
        let instance = Int.random(in: 0..<4, using: &random)
        let partitions = Set((Int32(0)..<5).filter { _ in Bool.random(using: &random) })
        let goes = Int.random(in: 0..<8, using: &random) == 0
        history.append((instance, goes ? [] : partitions))
        directory.apply(
          key: "t/\(instance)", goes ? nil : Self.record("\(instance)", partitions.sorted()), offset: offset)
      }
      for partition in Int32(0)..<5 {
        // Since when each process claims the task without a pause.
        let claims = (0..<4).compactMap { instance -> (Int, Int)? in
          let told = history.indices.filter { history[$0].instance == instance }
          let run = told.reversed().prefix { history[$0].partitions.contains(partition) }
          return run.last.map { ($0, instance) }
        }
        let expected = claims.max { $0.0 < $1.0 }.map { "\($0.1)" }
        #expect(directory.owner(of: partition)?.instance == expected)
      }
    }
  }

  @Test func `a record is read as it was written, and nothing else is`() {
    let record = Self.record("a", [1, 3])
    #expect(InstanceRecord(json: record.encoded) == record)
    for text in [
      "", "{}", "[]", #"{"topology":"t","instance":"a","address":"h","partitions":[]}"#,
      #"{"topology":"t","instance":"a","address":"h:99999","partitions":[]}"#,
      #"{"topology":"t","instance":"a","address":"h/x@y:1","partitions":[]}"#,
      #"{"topology":"t","instance":"a","address":"h:1","partitions":["x"]}"#,
      #"{"topology":"t","instance":"a","address":"h:1","partitions":[4294967296]}"#,
    ] {
      #expect(InstanceRecord(json: Array(text.utf8)) == nil, "\(text)")
    }
    let six = #"{"topology":"t","instance":"a","address":"[::1]:6566","partitions":[2,1]}"#
    #expect(InstanceRecord(json: Array(six.utf8))?.partitions == [1, 2])
  }
}
