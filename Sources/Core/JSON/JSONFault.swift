/// What is wrong with a document that is no valid JSON (RFC 8259), and where.
package struct JSONFault: Error, Equatable {
  package enum Reason: UInt32, Sendable, CaseIterable {
    /// Nothing but white space.
    case blank = 1
    case invalidUTF8
    case controlCharacter
    case unclosedString
    case invalidEscape
    case invalidNumber
    case expectedValue
    case expectedKey
    case expectedColon
    case expectedCommaOrEnd
    case trailingContent
    case tooDeep
  }

  package var reason: Reason
  /// Bytes from the start of the buffer.
  package var position: Int

  package init(reason: Reason, position: Int) {
    self.reason = reason
    self.position = position
  }
}

extension JSONFault.Reason {
  /// What was expected, as the end of the sentence that begins with what was found.
  package var expectation: String {
    switch self {
    case .blank: "a JSON value is expected"
    case .invalidUTF8: "text must be UTF-8"
    case .controlCharacter: "a control character inside of a string must be escaped"
    case .unclosedString: "the string that starts here is not closed"
    case .invalidEscape: "no escape of JSON starts so"
    case .invalidNumber: "no number of JSON is written so"
    case .expectedValue: "a value is expected: an object, array, string, number, true, false or null"
    case .expectedKey: "a field name in double quotes is expected"
    case .expectedColon: "a colon is expected behind the field name"
    case .expectedCommaOrEnd: "a comma or the end of the object or array is expected"
    case .trailingContent: "the document ended before this"
    case .tooDeep: "objects and arrays may be nested 1024 deep"
    }
  }

  /// How to mend it.
  package var remedy: String {
    switch self {
    case .blank, .expectedValue: "write a value; None, NaN, undefined and single quotes are no JSON"
    case .invalidUTF8: "convert the file to UTF-8, for example with iconv"
    case .controlCharacter: "write it as an escape, such as \\n, \\t or \\u0000"
    case .unclosedString: "close the string with a double quote, and escape line breaks inside of it as \\n"
    case .invalidEscape: "double the backslash, or write one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"
    case .invalidNumber: "write digits with at most one leading minus; no leading zero, plus sign or bare dot"
    case .expectedKey: "put the name in double quotes, and remove a comma before a closing brace"
    case .expectedColon: "put a colon between name and value"
    case .expectedCommaOrEnd: "put a comma between members, or close what is open"
    case .trailingContent: "write one document a line"
    case .tooDeep: "flatten the document"
    }
  }
}
