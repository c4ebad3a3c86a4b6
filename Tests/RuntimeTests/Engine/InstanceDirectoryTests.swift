import Core
import Testing

@testable import Runtime

/// Who has which task, by what the processes have told.
@Suite struct InstanceDirectoryTests {
  private static func record(
    _ instance: String, _ partitions: [Int32], topology: String = "t", life: String? = nil
  ) -> InstanceRecord {
    InstanceRecord(
      topology: topology, instance: instance, address: "\(instance):1", partitions: partitions, life: life)
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

  @Test func `what a process claims after a restart begins then, whatever its former life had claimed`() {
    var directory = InstanceDirectory(topology: "t")
    directory.apply(key: "t/a", Self.record("a", [0, 1], life: "1"), offset: 0)
    // The first dies, the second takes its task and dies as well, and the first comes back and gets it again.
    directory.apply(key: "t/b", Self.record("b", [0], life: "x"), offset: 1)
    directory.apply(key: "t/a", Self.record("a", [0, 1], life: "2"), offset: 2)
    #expect(directory.owner(of: 0)?.instance == "a" && directory.owner(of: 1)?.life == "2")
    // The same life says nothing new of it.
    directory.apply(key: "t/b", Self.record("b", [0], life: "y"), offset: 3)
    directory.apply(key: "t/a", Self.record("a", [0, 1, 2], life: "2"), offset: 4)
    #expect(directory.owner(of: 0)?.instance == "b" && directory.owner(of: 2)?.instance == "a")
  }

  @Test func `two processes at one address of the machine are found`() {
    var directory = InstanceDirectory(topology: "t")
    func tell(_ instance: String, _ partitions: [Int32], _ address: String, at offset: Int64) {
      let record = InstanceRecord(topology: "t", instance: instance, address: address, partitions: partitions)
      directory.apply(key: record.key, record, offset: offset)
    }
    tell("a", [0], "127.0.0.1:6566", at: 0)
    tell("b", [], "127.0.0.1:6566", at: 1)
    tell("c", [1], "127.0.0.1:6567", at: 2)
    #expect(directory.twin(of: "a", at: "127.0.0.1:6566") == nil)
    tell("b", [2], "127.0.0.1:6566", at: 3)
    #expect(directory.twin(of: "a", at: "127.0.0.1:6566")?.instance == "b")
    for (address, isLoopback) in [
      ("127.0.0.1:1", true), ("localhost:1", true), ("[::1]:1", true), ("10.0.0.7:1", false), ("[fe80::1]:1", false),
      ("localhost.example:1", false),
    ] {
      #expect(InstanceRecord.isLoopback(address) == isLoopback, "\(address)")
    }
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
    let living = Self.record("a", [1, 3], life: InstanceRecord.newLife())
    #expect(InstanceRecord(json: living.encoded) == living && living.life != InstanceRecord.newLife())
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
