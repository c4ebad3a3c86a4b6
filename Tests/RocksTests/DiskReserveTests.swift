import Core
import Synchronization
import TestSupport
import Testing

@testable import Rocks

@Suite struct DiskReserveTests {
  /// A disk whose free space the test sets.
  private final class Disk: Sendable {
    let free = Atomic<Int64>(1 << 40)
  }

  private static func make(_ folder: TestFolder, _ disk: Disk) throws -> DiskReserve {
    try DiskReserve(folder: folder.path, sizeBytes: 1 << 20, floorBytes: 10_000) { _ in
      disk.free.load(ordering: .relaxed)
    }
  }

  private static func hasFile(_ folder: TestFolder) -> Bool { Folder.exists("\(folder.path)/RESERVE") }

  @Test func `a write that would leave too little is refused before it is tried, and let in later`() throws {
    let folder = try TestFolder()
    let disk = Disk()
    var options = DatabaseOptions()
    options.reserve = try Self.make(folder, disk)
    let database = try Database(path: "\(folder.path)/db", options: options)
    try database.put([("a", "1")])
    disk.free.store(9_000, ordering: .relaxed)
    #expect(codeThrown { try database.put([("a", "2")]) } == HeadraceError.fullDiskCode)
    #expect(try database.text("a") == "1")
    #expect(database.failedWrite == nil)
    disk.free.store(1 << 40, ordering: .relaxed)
    try database.put([("a", "2")])
    #expect(try database.text("a") == "2")
    database.close()
    disk.free.store(100, ordering: .relaxed)
    #expect(codeThrown { _ = try Database(path: "\(folder.path)/db", options: options) } == HeadraceError.fullDiskCode)
  }

  @Test func `the file is given back when the disk is full, and taken again when there is room for two of it`() throws {
    let folder = try TestFolder()
    let disk = Disk()
    let reserve = try Self.make(folder, disk)
    #expect(reserve.isHeld && Self.hasFile(folder))
    disk.free.store(8_000, ordering: .relaxed)
    #expect(codeThrown { try reserve.admit(bytes: 1, place: "x") } == HeadraceError.fullDiskCode)
    #expect(reserve.isHeld, "what it keeps free is not used up yet")
    disk.free.store(4_000, ordering: .relaxed)
    #expect(codeThrown { try reserve.admit(bytes: 1, place: "x") } == HeadraceError.fullDiskCode)
    #expect(!reserve.isHeld && !Self.hasFile(folder))
    disk.free.store((1 << 20) + 20_000, ordering: .relaxed)
    try reserve.admit(bytes: 1, place: "x")
    #expect(!reserve.isHeld, "taken now, it would fill the disk again")
    disk.free.store((2 << 20) + 10_000, ordering: .relaxed)
    try reserve.admit(bytes: 1, place: "x")
    #expect(reserve.isHeld && Self.hasFile(folder))
  }

  @Test func `what is written counts, also beyond all numbers`() throws {
    let folder = try TestFolder()
    let disk = Disk()
    let reserve = try Self.make(folder, disk)
    disk.free.store(100_000, ordering: .relaxed)
    try reserve.admit(bytes: 90_000, place: "x")
    #expect(codeThrown { try reserve.admit(bytes: 90_001, place: "x") } == HeadraceError.fullDiskCode)
    #expect(codeThrown { try reserve.admit(bytes: .max, place: "x") } == HeadraceError.fullDiskCode)
  }

  @Test func `the space of a real disk is known`() throws {
    let folder = try TestFolder()
    #expect(try #require(DiskReserve.freeBytes(of: folder.path)) > 0)
    #expect(DiskReserve.freeBytes(of: "\(folder.path)/none") == nil)
  }
}
