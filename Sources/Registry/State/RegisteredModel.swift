/// Who changed something, when, and where the record of it stands.
package struct RegistryEntry: Sendable, Hashable {
  package var commandID: String
  package var actor: String
  package var reason: String
  /// Of the command in its log.
  package var offset: Int64
  /// Of the command's record.
  package var timeMilliseconds: Int64

  package init(commandID: String, actor: String, reason: String, offset: Int64, timeMilliseconds: Int64) {
    self.commandID = commandID
    self.actor = actor
    self.reason = reason
    self.offset = offset
    self.timeMilliseconds = timeMilliseconds
  }
}

/// A model with all that ever happened to it.
package struct RegisteredModel: Sendable, Hashable {
  package struct Version: Sendable, Hashable {
    package var version: ModelVersion
    package var entry: RegistryEntry
  }

  package let name: String
  /// Number n at index n - 1.
  package internal(set) var versions: [Version] = []
  /// By name; those that were taken away keep their history.
  package internal(set) var aliases: [String: RegisteredAlias] = [:]

  package subscript(number: Int) -> ModelVersion? {
    versions.indices.contains(number - 1) ? versions[number - 1].version : nil
  }

  package var newest: ModelVersion? { versions.last?.version }

  /// What a bare name stands for: the champion, or the newest version where there is none.
  package var current: ModelVersion? { aliases[RegisteredAlias.champion]?.version.flatMap { self[$0] } ?? newest }
}

/// A name for a version that may be moved from one to another.
package struct RegisteredAlias: Sendable, Hashable {
  /// The version that counts where nothing else is said.
  package static let champion = "champion"

  package struct Change: Sendable, Hashable {
    /// nil: the alias was taken away.
    package var version: Int?
    package var entry: RegistryEntry
  }

  package struct RolloutRecord: Sendable, Hashable {
    package var rollout: Rollout
    package var began: RegistryEntry
    package var ended: RegistryEntry?
    package var verdict: RolloutVerdict?
  }

  package let name: String
  /// Every version that it stood for, oldest first.
  package internal(set) var history: [Change] = []
  /// Every rollout, oldest first.
  package internal(set) var rolloutHistory: [RolloutRecord] = []

  /// What it stands for; nil when it was taken away.
  package var version: Int? { history.last?.version }

  /// Rollouts under way: at most one that answers, and some shadows.
  package var rollouts: [Rollout] { rolloutHistory.filter { $0.ended == nil }.map(\.rollout) }

  /// What it stood for when the command at `offset` had been followed.
  package func version(atOffset offset: Int64) -> Int? { history.last { $0.entry.offset <= offset }?.version }
}
