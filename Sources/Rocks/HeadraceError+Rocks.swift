internal import CRocksDB
package import Core

/// What kind of trouble the library reports, by the first words of its message.
enum RocksFailure: String, Sendable {
  case corruption = "STATE_CORRUPT"
  case noSpace = "STATE_DISK_FULL"
  case locked = "STATE_LOCKED"
  case inputOutput = "STATE_IO"
  case invalid = "STATE_INVALID"
  case other = "STATE_FAILED"

  init(message: String) {
    let text = message.lowercased()
    if text.contains("no space left") || text.contains("disk quota") {
      self = .noSpace
    } else if text.contains("lock hold by current process") || text.contains("while lock file") {
      self = .locked
    } else if text.hasPrefix("corruption") || Self.isMissingFile(text) {
      self = .corruption
    } else if text.hasPrefix("io error") {
      self = .inputOutput
    } else if text.hasPrefix("invalid argument") {
      self = .invalid
    } else {
      self = .other
    }
  }

  /// A file that the manifest names and the folder does not have is damage, not a fault of the device.
  private static func isMissingFile(_ text: String) -> Bool {
    guard text.contains("no such file") else { return false }
    return [".sst", "manifest-", "current", ".log"].contains { text.contains($0) }
  }
}

extension HeadraceError {
  /// The code of damaged state: `isCorruption` asks for it.
  package static let corruptStateCode = RocksFailure.corruption.rawValue
  package static let fullDiskCode = RocksFailure.noSpace.rawValue

  /// The state on the disk is damaged: it must be rebuilt, retrying does not help.
  package var isCorruption: Bool { code == Self.corruptStateCode }

  /// Damaged state, with what to do about it.
  package static func corruptState(_ message: String, place: String) -> Self {
    Self(RocksFailure.corruption, message, isWrite: false, place: place)
  }

  init(_ failure: RocksFailure, _ message: String, isWrite: Bool, place: String) {
    switch failure {
    case .corruption:
      self.init(
        .external, failure.rawValue, message, place: place,
        remedy: "nothing is read from it any more: move the folder away and start again; the task is rebuilt from its "
          + "newest snapshot and the log")
    case .noSpace:
      self.init(
        .external, failure.rawValue, message, retry: isWrite ? .unknownOutcome : .sameCall, place: place,
        remedy: "free space on the disk of this folder, or give it a larger one; processing goes on from the last "
          + "checkpoint")
    case .locked:
      self.init(
        .user, failure.rawValue, message, retry: .sameCall, place: place,
        remedy:
          "another process (or another part of this one) has this folder open: stop it, or use another data folder")
    case .inputOutput:
      self.init(
        .external, failure.rawValue, message, retry: isWrite ? .unknownOutcome : .newInstance, place: place,
        remedy: "look at the disk and its file system (dmesg); the store is opened again and continues from what is on "
          + "the disk")
    case .invalid, .other:
      self.init(
        .internal, failure.rawValue, message, retry: isWrite ? .unknownOutcome : .newInstance, place: place,
        remedy: "open the store again; if it happens again, report it with this message")
    }
  }
}

/// Where the library leaves its message, and what becomes of it.
@safe
struct ErrorSlot: ~Copyable {
  var message: UnsafeMutablePointer<CChar>?

  init() { unsafe message = nil }

  deinit { unsafe rocksdb_free(message) }

  /// - Throws: what the library said, if it said something.
  consuming func check(isWrite: Bool = false, place: String) throws(HeadraceError) {
    guard let message = unsafe message else { return }
    let text = unsafe String(cString: message)
    throw HeadraceError(RocksFailure(message: text), text, isWrite: isWrite, place: place)
  }
}
