package import Contracts
package import Core
package import Expressions

/// A topic that is read, and what is done to its records before any view sees them.
///
/// The *scope* of a source is the list of columns that its expressions read: first the decoded fields, then the derived
/// columns. A decoded batch has the first part; each derived column is evaluated over all columns in front of it and
/// appended.
package struct SourcePlan: Sendable {
  package var name: String
  package var about: About
  package var topic: String
  package var contract: Contract
  package var format: PayloadFormat
  /// nil is `any`: no rule tells where the records of a key are, so every view is repartitioned.
  package var partitioner: Partitioner?
  /// What the decoder is asked for: positions in `contract.fields`, ascending. Nothing else is decoded. All of them
  /// when the source is archived.
  package var columns: [Int]
  package var derived: [DerivedColumnPlan]
  /// Names and types: `columns`, then `derived`.
  package var scope: [ExpressionField]
  /// The field that the record's key must equal; a scope position below `columns.count`. nil: the key is not checked.
  package var key: Int?
  package var eventTime: EventTimePlan
  package var latenessMilliseconds: Int64
  package var maxSkewMilliseconds: Int64
  package var dedupe: DedupePlan?
  /// A boolean: records for which it is not true are counted as filtered. Reads the whole scope.
  package var filter: Expression?
  package var filterText: String?
  /// Whether every valid record goes to the table `events/<source>`.
  package var isArchived: Bool
  /// Who pays for it; nil: the topology's tenant.
  package var tenant: SourceTenant?
  /// Of what decides which records count, and when.
  package var fingerprint: Fingerprint
}

/// Whose a source and what is made of its events are.
package enum SourceTenant: Sendable, Hashable {
  case name(String)
  /// Each event says it: a scope position, of a string or a whole number.
  case field(Int)
}

/// `late: dep_delay > 15`.
package struct DerivedColumnPlan: Sendable {
  package var name: String
  /// As the file says it, on one line.
  package var text: String
  /// Over the scope; reads only positions in front of its own.
  package var expression: Expression
}

/// Which column says when it happened.
package struct EventTimePlan: Sendable, Equatable {
  /// A scope position below `columns.count`.
  package var column: Int
  /// Of a field that is a plain number; a field with a timestamp type knows its own.
  package var unit: EventTime.Unit
}

/// Of records with the same id the first in the log counts.
package struct DedupePlan: Sendable, Equatable {
  /// A scope position below `columns.count`.
  package var column: Int
  package var withinMilliseconds: Int64
}
