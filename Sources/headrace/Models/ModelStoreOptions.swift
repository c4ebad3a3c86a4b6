internal import ArgumentParser
internal import Core
internal import Glibc
internal import Registry

/// Where models are: the same flag on every command that reads or changes them.
struct ModelStoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The data folder, where the models are.", valueName: "folder")) var data: String?

  func validate() throws {
    guard data != nil else { throw ValidationError("--data DIR is missing: the folder of the models") }
  }

  func existing() throws(HeadraceError) -> LocalRegistry { try LocalRegistry.existing(dataDirectory: data ?? "") }

  /// Makes what is missing.
  func open() throws(HeadraceError) -> LocalRegistry {
    try Folder.make(data ?? "")
    return try LocalRegistry(dataDirectory: data ?? "")
  }
}

/// Who changes something: the same flag on every command that does.
struct ActorOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Who does this. (default: the user that runs the command)", valueName: "name"))
  var by: String?

  var actor: String { by ?? Self.user }

  /// The user that runs the command: one name for one person in every command, since who asks must not approve.
  static var user: String {
    let user = unsafe getpwuid(geteuid()).flatMap { unsafe $0.pointee.pw_name }
    return unsafe user.map { unsafe String(cString: $0) } ?? "uid \(geteuid())"
  }

  func validate() throws {
    guard let by, by.isEmpty || by.utf8.count > RegistryLimits.textBytes else { return }
    throw ValidationError("--by: expected a name of at most \(RegistryLimits.textBytes) bytes")
  }
}

/// A version as arguments name it.
enum VersionArgument {
  /// - Returns: nil for `none`.
  static func parse(_ text: String, flag: String) throws -> Int? {
    if text == "none" { return nil }
    guard let number = Int(text), (1...RegistryLimits.versions).contains(number) else {
      throw ValidationError("\(flag) \(text): expected the number of a version, or none")
    }
    return number
  }
}
