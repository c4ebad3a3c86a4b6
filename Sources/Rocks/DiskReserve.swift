package import Core
internal import Glibc
internal import Synchronization

/// Room on a disk that nobody else gets, so that a full disk stops this program and does not kill it.
///
/// RocksDB 7.8 can abort the process when the disk is full, in a write as well as in a flush in the background or when
/// it opens. So writes are refused while there is still room: as soon as less than `floorBytes` would be left. When
/// even that is used up by others, the preallocated file `RESERVE` is given back to the disk: it carries what is
/// already under way, and the next start. It is taken again when there is room for twice its size. One reserve serves
/// every database on the same disk. Thread-safe.
package final class DiskReserve: Sendable {
  private enum State: Sendable { case held, released }

  private let path: String
  private let sizeBytes: Int64
  private let floorBytes: Int64
  private let freeBytes: @Sendable (String) -> Int64?
  private let folder: String
  private let state: Mutex<State>

  /// - Parameters:
  ///   - folder: is made if it is not there.
  ///   - sizeBytes: of the file; 0 for none.
  ///   - floorBytes: what must stay free besides the file for a write to be let in.
  ///   - freeBytes: bytes that this process could still write to a folder's disk; nil when it is not known. For tests.
  package init(
    folder: String, sizeBytes: Int64 = 64 << 20, floorBytes: Int64 = 64 << 20,
    freeBytes: @escaping @Sendable (String) -> Int64? = DiskReserve.freeBytes(of:)
  ) throws(HeadraceError) {
    self.folder = folder
    self.sizeBytes = max(sizeBytes, 0)
    self.floorBytes = max(floorBytes, 0)
    self.freeBytes = freeBytes
    path = "\(folder)/RESERVE"
    state = Mutex(.released)
    try Folder.create(folder)
    state.withLock { $0 = hold() ? .held : .released }
  }

  /// Whether the file is there; false also when the disk was too full for it at the start.
  package var isHeld: Bool { state.withLock { $0 == .held } }

  /// - Parameter bytes: what is about to be written.
  /// - Throws: `STATE_DISK_FULL` with `sameCall`: nothing was written.
  package func admit(bytes: Int64, place: String) throws(HeadraceError) {
    guard var free = freeBytes(folder) else { return }
    state.withLock { state in
      switch state {
      case .held where free < floorBytes / 2:
        unsafe unlink(path)
        state = .released
      case .released where free >= sizeBytes.addingReportingOverflow(sizeBytes).partialValue &+ floorBytes:
        if hold() {
          state = .held
          free -= sizeBytes
        }
      default: break
      }
    }
    let needed = bytes.addingReportingOverflow(floorBytes)
    guard needed.overflow || free < needed.partialValue else { return }
    throw HeadraceError(
      .external, HeadraceError.fullDiskCode,
      "\(free >> 20) MiB are free on the disk and \(needed.partialValue >> 20) MiB must be", retry: .sameCall,
      place: place,
      remedy: "free space on this disk, or give the folder a larger one; nothing was written and nothing is lost, work "
        + "goes on when there is room")
  }

  /// - Returns: false when the disk has no room for it.
  private func hold() -> Bool {
    guard sizeBytes > 0 else { return true }
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { return false }
    defer { close(file) }
    guard posix_fallocate(file, 0, Int(sizeBytes)) == 0 else {
      unsafe unlink(path)
      return false
    }
    return true
  }

  package static func freeBytes(of folder: String) -> Int64? {
    var status = statvfs()
    guard unsafe statvfs(folder, &status) == 0 else { return nil }
    let (bytes, overflow) = Int64(clamping: status.f_bavail).multipliedReportingOverflow(
      by: Int64(clamping: status.f_frsize))
    return overflow ? .max : bytes
  }
}
