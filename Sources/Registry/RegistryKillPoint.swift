internal import Core

/// Named places at which a test can make a process die as by `kill -9` while it writes to the registry.
package enum RegistryKillPoint: String, CaseIterable, Sendable {
  /// The model's file is durable; no command names it yet.
  case fileKept = "registry.file-kept"
  /// The command is a row of the open transaction; what follows from it is none yet.
  case commandWritten = "registry.command-written"
  /// All rows are part of the transaction; nothing is decided.
  case beforeCommit = "registry.before-commit"
  /// The transaction is durable; nobody has heard of it.
  case afterCommit = "registry.after-commit"

  /// Dies here when the environment says so.
  static func pass(_ point: RegistryKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: RegistryKillPoint? = KillSwitch.armed()
}
