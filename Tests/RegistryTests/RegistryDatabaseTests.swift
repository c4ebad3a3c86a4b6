import Core
import Registry
import Storage
import TestSupport
import Testing

@Suite struct RegistryDatabaseTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func open(_ name: String = "registry.sqlite") throws -> RegistryDatabase {
    try RegistryDatabase(path: "\(folder.path)/\(name)")
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `thousands of random commands leave the tables, the state and a naive model equal`(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let database = try open()
    var oracle = NaiveRegistry()
    var records: [RegistryDatabase.Record] = []
    var offset: Int64 = 0
    for _ in 0..<3_400 {
      offset += Int64.random(in: 1...3, using: &random)
      guard Int.random(in: 0..<50, using: &random) > 0 else {
        // Of a newer program.
        records.append(.init(offset: offset, timeMilliseconds: offset * 10, json: Array(#"{"kind":"rename"}"#.utf8)))
        continue
      }
      let command = RegistryCommand.random(&random, oracle)
      oracle.apply(command, timeMilliseconds: offset * 10)
      records.append(.init(offset: offset, timeMilliseconds: offset * 10, json: command.encoded()))
      if records.count == 200 {
        // Some records come twice, as after a restart.
        try database.follow(records)
        records.removeFirst(150)
      }
    }
    try database.follow(records)
    let state = try database.state()
    #expect(NaiveRegistry(state) == oracle, "seed \(seed)")
    #expect(state.offset == offset, "seed \(seed)")
    try database.verify()
    #expect(try open().state() == state, "seed \(seed): opened again")
    let copy = try open("copy.sqlite")
    while case let page = try database.records(after: try copy.state().offset, countMax: 777), !page.isEmpty {
      try copy.follow(page)
    }
    #expect(try copy.state() == state, "seed \(seed): rebuilt from the log")
    #expect(
      try DatabaseFile.dump(copy.path) == DatabaseFile.dump(database.path), "seed \(seed): byte for byte")
    #expect(try copy.records(after: -1, countMax: .max) == database.records(after: -1, countMax: .max))
  }

  @Test func `the file of a program that knew no runs is brought up to date out of its log`() throws {
    let former = try open()
    try former.follow([
      .init(
        offset: 0, timeMilliseconds: 1,
        json: RegistryCommand(id: "c0", actor: "ada", change: .addVersion(.sample(number: 1))).encoded()),
      .init(
        offset: 1, timeMilliseconds: 2,
        json: RegistryCommand(id: "c1", actor: "ada", change: .startRun(.sample(id: "r1"))).encoded()),
    ])
    try DatabaseFile.makeFormat1(former.path)
    let now = try open()
    #expect(try now.state().runs.keys.sorted() == ["r1"], "the former program passed over it")
    #expect(try now.state()["m"]?.versions.count == 1)
    try now.verify()
    let copy = try open("copy.sqlite")
    try copy.follow(try now.records(after: -1))
    #expect(try DatabaseFile.dump(copy.path) == DatabaseFile.dump(now.path))
  }

  @Test func `two processes that add at the same time get two numbers`() throws {
    let (one, other) = (try open(), try open())
    for number in 1...6 {
      let database = number.isMultiple(of: 2) ? one : other
      let (outcome, state) = try database.append(timeMilliseconds: 0) { state in
        RegistryCommand(
          actor: "ada", change: .addVersion(.sample(number: (state["m"]?.versions.count ?? 0) + 1)))
      }
      #expect(outcome == .applied)
      #expect(state["m"]?.versions.count == number)
    }
    #expect(try one.state() == other.state())
  }

  @Test func `another process's write changes the mark, a read does not`() throws {
    let (reader, writer) = (try open(), try open())
    let before = try reader.changeMark()
    _ = try writer.state()
    #expect(try reader.changeMark() == before)
    _ = try writer.append(timeMilliseconds: 0) { _ in
      RegistryCommand(actor: "ada", change: .addVersion(.sample(number: 1)))
    }
    #expect(try reader.changeMark() != before)
  }

  @Test func `a command that is refused leaves nothing`() throws {
    let database = try open()
    let (outcome, _) = try database.append(timeMilliseconds: 0) { _ in
      RegistryCommand(actor: "ada", change: .addVersion(.sample(number: 2)))
    }
    #expect(outcome == .refused(.versionOvertaken(next: 1)))
    #expect(try database.records(after: -1) == [])
  }

  @Test func `a record that no command is in is kept and passed over`() throws {
    let database = try open()
    try database.follow([.init(offset: 4, timeMilliseconds: 1, json: Array("{}".utf8))])
    #expect(try database.state().offset == 4)
    try database.verify()
  }

  @Test func `a file that is no database is refused by name`() throws {
    try TestFolder.write(Array("no database at all, whatever its name says".utf8), to: "\(folder.path)/registry.sqlite")
    #expect(codeThrown { _ = try open() } == "REGISTRY_CORRUPT")
  }

  @Test func `a file is kept under its content, once, and found changed when it is`() throws {
    let store = MemoryBlobStore()
    let files = ModelFileStore(store)
    let hash = try files.put([1, 2, 3])
    #expect(try files.put([1, 2, 3]) == hash)
    #expect(try files.read(hash) == [1, 2, 3])
    try store.put(try BlobName(hash), [1, 2, 4])
    #expect(codeThrown { _ = try files.read(hash) } == "MODEL_FILE_CHANGED")
    try store.delete([try BlobName(hash)])
    #expect(codeThrown { _ = try files.read(hash) } == "MODEL_FILE_MISSING")
  }
}
