/// One piece of work of a trace, done.
package struct Span: Sendable {
  /// As OTLP numbers them.
  package enum Kind: Int, Sendable {
    case `internal` = 1
    case server, client, producer, consumer
  }

  package enum Attribute: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    case flag(Bool)
  }

  package var context: TraceContext
  /// Of the same trace; nil of a root.
  package var parent: UInt64?
  package var name: String
  package var kind: Kind
  package var startNanoseconds: Int64
  package var endNanoseconds: Int64
  package var attributes: [(name: String, value: Attribute)] = []
  /// Spans of other traces that it continues: those of a batch's records.
  package var links: [TraceContext] = []
  /// Links that there was no room for.
  package var droppedLinks = 0
  /// What failed; nil when nothing did.
  package var failure: String?

  package init(
    _ context: TraceContext, parent: UInt64? = nil, _ name: String, _ kind: Kind, startNanoseconds: Int64,
    endNanoseconds: Int64
  ) {
    self.context = context
    self.parent = parent
    self.name = name
    self.kind = kind
    self.startNanoseconds = startNanoseconds
    self.endNanoseconds = endNanoseconds
  }
}
