internal import Core
internal import Glibc
internal import Serving
internal import Synchronization

/// The file that says who may do what; read again when it has changed.
///
/// A file that cannot be read any more changes nothing: those that could decide before still can, and the log of the
/// process says what is wrong.
final class AccessFile: Sendable {
  /// How long a change may go unnoticed.
  private static let lookMilliseconds: Int64 = 250

  /// What a file is told apart by from the one before: exchanged, or written into.
  private struct Stamp: Equatable {
    var node: UInt64
    var sizeBytes: Int64
    var seconds: Int64
    var nanoseconds: Int64
  }

  private struct State {
    var list: AccessList
    var stamp: Stamp?
    var lookAtMilliseconds: Int64
  }

  private let path: String
  private let state: Mutex<State>

  /// - Throws: what is wrong with the file.
  init(_ path: String) throws(HeadraceError) {
    self.path = path
    let stamp = Self.stamp(path)
    state = Mutex(State(list: try Self.read(path), stamp: stamp, lookAtMilliseconds: Self.nextLook))
  }

  static func read(_ path: String) throws(HeadraceError) -> AccessList {
    try AccessList(yaml: TextFile.read(path), file: path)
  }

  var list: AccessList {
    state.withLock { state in
      guard state.lookAtMilliseconds <= WallClock.monotonic.nowMilliseconds else { return state.list }
      state.lookAtMilliseconds = Self.nextLook
      let stamp = Self.stamp(path)
      guard stamp != state.stamp else { return state.list }
      state.stamp = stamp
      do throws(HeadraceError) {
        state.list = try Self.read(path)
        StandardError.write("note: \(path) was read again: \(state.list.principals.count) principals")
      } catch {
        StandardError.write("error: \(error); what the file said before counts")
      }
      return state.list
    }
  }

  private static var nextLook: Int64 { WallClock.monotonic.nowMilliseconds + lookMilliseconds }

  private static func stamp(_ path: String) -> Stamp? {
    var status = Glibc.stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Stamp(
      node: UInt64(status.st_ino), sizeBytes: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec),
      nanoseconds: Int64(status.st_mtim.tv_nsec))
  }
}
