/// A question to a person: may this version have the alias?
package struct Approval: Sendable, Hashable {
  /// Unique: of the alphabet of names.
  package var id: String
  package var model: String
  package var version: Int
  package var alias: String
  /// Who wants it; may not be the one who decides.
  package var requestedBy: String
  package var reason: String
  /// What speaks for and against it: one JSON value, or empty.
  package var evidence: String
  /// A decision in a record of a later time does not count.
  package var expiresAtMilliseconds: Int64

  package init(
    id: String = RegistryCommand.newID(), model: String, version: Int, alias: String, requestedBy: String,
    reason: String = "", evidence: String = "", expiresAtMilliseconds: Int64
  ) {
    self.id = id
    self.model = model
    self.version = version
    self.alias = alias
    self.requestedBy = requestedBy
    self.reason = reason
    self.evidence = evidence
    self.expiresAtMilliseconds = expiresAtMilliseconds
  }
}

package enum ApprovalVerdict: String, Sendable, CaseIterable {
  case approved
  case rejected
  /// Nobody answered in time.
  case expired
}
