internal import Core

/// The failures of this module.
extension HeadraceError {
  /// Something in the log or in a checkpoint is not what the protocol allows.
  static func corruptLog(_ message: String, _ place: String) -> HeadraceError {
    HeadraceError(
      .external, "DELTA_LOG_CORRUPT", message, place: place,
      remedy: "restore the file from a copy; no reader of Delta tables can use it as it is")
  }

  /// The table uses something that this module does not know: going on would read or write wrong rows.
  static func unsupportedTable(_ message: String, _ place: String) -> HeadraceError {
    HeadraceError(
      .user, "DELTA_UNSUPPORTED", message, place: place,
      remedy: "use a table of reader version 1 and writer version 2, or drop the feature from this one")
  }

  static func deltaUser(_ code: String, _ message: String, _ place: String, remedy: String) -> HeadraceError {
    HeadraceError(.user, code, message, place: place, remedy: remedy)
  }
}
