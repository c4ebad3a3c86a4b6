/// What a column of a monitor is made from.
package struct ColumnOrigin: Sendable, Equatable {
  /// Fields of events: `payments.amount`. A count has none.
  package var fields: Set<String>
  /// The source, where it is another one than that of the model's events.
  package var otherSource: String?
  /// How long a value of a field goes on to count; nil: for ever.
  package var reachMilliseconds: Int64?

  package init(fields: Set<String>, otherSource: String? = nil, reachMilliseconds: Int64? = 0) {
    self.fields = fields
    self.otherSource = otherSource
    self.reachMilliseconds = reachMilliseconds
  }
}
