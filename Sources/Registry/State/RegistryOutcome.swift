package import Core

/// What became of a command.
package enum RegistryOutcome: Sendable, Hashable {
  case applied
  case refused(RegistryRefusal)
}

/// Why a command changes nothing.
package enum RegistryRefusal: Error, Hashable {
  /// The record was applied before.
  case repeated
  case nameInvalid(String)
  case modelUnknown(nearest: String?)
  /// There are `count` versions.
  case versionUnknown(Int, count: Int)
  /// Somebody else was faster: the next version has this number.
  case versionOvertaken(next: Int)
  /// The same file is there already.
  case contentKnown(version: Int)
  /// The alias does not stand for what the command expected.
  case aliasOvertaken(found: Int?, expected: Int?)
  /// The alias stands there already.
  case unchanged
  case aliasUnknown
  /// The version in force cannot be rolled out beside itself.
  case rolloutOfCurrent
  /// Another version answers for a share already.
  case rolloutRunning(version: Int)
  case tooManyShadows
  case rolloutUnknown(version: Int)

  /// A short stable name, for programs.
  package var code: String {
    switch self {
    case .repeated: "COMMAND_REPEATED"
    case .nameInvalid: "NAME_INVALID"
    case .modelUnknown: "MODEL_NOT_FOUND"
    case .versionUnknown: "MODEL_VERSION_NOT_FOUND"
    case .versionOvertaken: "VERSION_OVERTAKEN"
    case .contentKnown: "VERSION_EXISTS"
    case .aliasOvertaken: "ALIAS_OVERTAKEN"
    case .unchanged: "ALIAS_UNCHANGED"
    case .aliasUnknown: "ALIAS_NOT_FOUND"
    case .rolloutOfCurrent: "ROLLOUT_OF_CURRENT"
    case .rolloutRunning: "ROLLOUT_RUNNING"
    case .tooManyShadows: "TOO_MANY_SHADOWS"
    case .rolloutUnknown: "ROLLOUT_NOT_FOUND"
    }
  }

  package var message: String {
    switch self {
    case .repeated: "the command was applied before"
    case .nameInvalid(let name):
      "\"\(name.prefix(RegistryLimits.nameBytes))\" is no name: 1 to \(RegistryLimits.nameBytes) letters, digits, "
        + "`_`, `-` and `.`, the first one a letter or a digit; an alias is no number"
    case .modelUnknown(let nearest):
      nearest.map { "there is no such model; did you mean `\($0)`?" } ?? "there is no such model"
    case .versionUnknown(let number, let count):
      "there is no version \(number), found \(count == 1 ? "version 1 only" : "versions 1 to \(count)")"
    case .versionOvertaken(let next): "another version was added at the same moment: the next one is \(next)"
    case .contentKnown(let version): "the same file is version \(version) already"
    case .aliasOvertaken(let found, let expected):
      "the alias stands for \(Self.name(found)), expected \(Self.name(expected))"
    case .unchanged: "the alias stands there already"
    case .aliasUnknown: "there is no such alias"
    case .rolloutOfCurrent: "the version is in force already"
    case .rolloutRunning(let version): "version \(version) answers for a share already; end that rollout first"
    case .tooManyShadows: "an alias may have \(RegistryLimits.shadows) shadows at a time"
    case .rolloutUnknown(let version): "there is no rollout of version \(version) under way"
    }
  }

  package func error(place: String) -> HeadraceError {
    HeadraceError(.user, code, message, place: place, remedy: remedy)
  }

  private var remedy: String? {
    switch self {
    case .modelUnknown: "`headrace models list` shows what there is"
    case .versionUnknown, .aliasUnknown, .rolloutUnknown: "`headrace models show NAME` shows what there is"
    case .versionOvertaken, .aliasOvertaken: "look at what is there now, then decide again"
    default: nil
    }
  }

  private static func name(_ version: Int?) -> String { version.map { "version \($0)" } ?? "nothing" }
}
