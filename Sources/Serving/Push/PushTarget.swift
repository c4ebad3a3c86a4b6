package import Contracts

/// What a source's topic takes, as far as a push has to know.
package struct PushTarget: Sendable {
  /// The field that says when an event happened: a data frame's `event_timestamp` goes there.
  package struct EventTimeField: Sendable, Hashable {
    package enum Encoding: Sendable, Hashable {
      case number(EventTime.Unit)
      /// RFC 3339.
      case text
    }

    package var name: String
    package var encoding: Encoding

    package init(name: String, encoding: Encoding) {
      self.name = name
      self.encoding = encoding
    }
  }

  /// What an event breaks of its contract.
  package struct Fault: Sendable, Equatable {
    /// The row of the push.
    package var row: Int
    package var code: String
    package var path: String?
    package var message: String

    package init(row: Int, code: String, path: String?, message: String) {
      self.row = row
      self.code = code
      self.path = path
      self.message = message
    }
  }

  /// Names of the contract's outermost fields.
  package var fields: Set<String>
  /// The field whose text is the record's key.
  package var keyField: String?
  package var eventTime: EventTimeField
  /// Holds events, as they would be written, against the contract.
  package var check: @Sendable (_ values: [[UInt8]]) -> [Fault]

  package init(
    fields: Set<String>, keyField: String?, eventTime: EventTimeField,
    check: @escaping @Sendable (_ values: [[UInt8]]) -> [Fault]
  ) {
    self.fields = fields
    self.keyField = keyField
    self.eventTime = eventTime
    self.check = check
  }
}
