internal import Core
internal import GRDB

extension HeadraceError {
  /// What SQLite says, in this program's words.
  static func registry(_ error: any Error, _ path: String) -> HeadraceError {
    if let known = error as? HeadraceError { return known }
    guard let failure = error as? DatabaseError else {
      return HeadraceError(
        .external, "REGISTRY_CORRUPT", "a row of the registry cannot be read: \(error)", place: path,
        remedy: "restore the file from a copy")
    }
    let reason = failure.message ?? "\(failure.resultCode)"
    switch failure.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return HeadraceError(
        .external, "REGISTRY_BUSY", "another process has been writing to the registry for long", retry: .sameCall,
        place: path, remedy: "try again; look for a process that hangs")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return HeadraceError(
        .external, "REGISTRY_CORRUPT", "the file is no registry, or damaged: \(reason)", place: path,
        remedy: "restore the file from a copy")
    case .SQLITE_FULL:
      return HeadraceError(
        .external, "REGISTRY_FULL", "there is no room on the disk", retry: .sameCall, place: path,
        remedy: "make room, then try again; nothing was changed")
    default:
      return HeadraceError(
        .external, "REGISTRY_UNREADABLE", "the registry cannot be read or written: \(reason)", place: path,
        remedy: "check that the folder is there, and that its files can be read and written")
    }
  }
}
