package import Core
internal import Glibc
internal import Rocks
internal import Synchronization

extension TaskStore {
  private static let quarantineName = "QUARANTINE"

  /// Why the store gives nothing more, if it does. Any thread.
  package var failure: HeadraceError? { trouble.withLock { $0 } }

  /// - Throws: what ended the store.
  func checkUsable() throws(HeadraceError) {
    guard isBroken.load(ordering: .relaxed) else { return }
    if let failure { throw failure }
  }

  /// Passes an error on, and remembers it where it ends the store.
  func noting(_ error: HeadraceError) -> HeadraceError {
    guard error.isCorruption || error.retry == .unknownOutcome || error.retry == .newInstance else { return error }
    if error.isCorruption { Self.quarantine(path, error) }
    end(with: error)
    return error
  }

  /// Everything that is asked from now on gets this error, or the one that came first.
  func end(with error: HeadraceError) {
    trouble.withLock { if $0 == nil { $0 = error } }
    isBroken.store(true, ordering: .relaxed)
  }

  /// Leaves a note in the folder of damaged state, so that no later start reads what this one did not happen to meet.
  static func quarantine(_ path: String, _ error: HeadraceError) {
    let file = unsafe open("\(path)/\(quarantineName)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    // The note is there already, or the disk takes none: the damage is found again when it is read again.
    guard file >= 0 else { return }
    defer { Glibc.close(file) }
    let reason = Array(error.message.utf8.prefix(2_000))
    _ = unsafe Glibc.write(file, reason, reason.count)
    fsync(file)
  }

  static func refuseQuarantined(_ path: String) throws(HeadraceError) {
    let note = "\(path)/\(quarantineName)"
    let file = unsafe open(note, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { Glibc.close(file) }
    var reason = [UInt8](repeating: 0, count: 2_000)
    let count = unsafe Glibc.read(file, &reason, reason.count)
    let text = String(decoding: reason.prefix(max(count, 0)), as: UTF8.self)
    throw .corruptState("the state was found damaged before: \(text)", place: path)
  }

  /// Moves a store that is not open out of the way, so that a new one can be built in its place.
  ///
  /// - Returns: where it is now: beside it, for whoever wants to look into it.
  package static func moveAside(_ path: String) throws(HeadraceError) -> String {
    var attempt = 1
    while Folder.exists("\(path).damaged-\(attempt)") { attempt += 1 }
    let target = "\(path).damaged-\(attempt)"
    try Folder.rename(path, to: target)
    return target
  }
}
