package import Core

/// Documents of one input that are read together: one byte buffer, and where each document ends in it.
package struct DocumentBatch: Sendable {
  /// The documents one after the other, each with the white space that ends it.
  package var bytes: [UInt8] = []
  package var ends: [UInt32] = []
  /// The line of the input, from 1, on which each document starts.
  package var lines: [Int] = []
  /// What could not be made a document.
  package var faults: [InputFault] = []

  package init() {}

  package var count: Int { ends.count }

  /// The bytes of a document, its line feed included.
  package func range(of document: Int) -> Range<Int> {
    (document == 0 ? 0 : Int(ends[document - 1]))..<Int(ends[document])
  }

  /// Without the white space that ends it.
  package func trimmedRange(of document: Int) -> Range<Int> {
    var range = range(of: document)
    while let last = range.last, bytes[last] == 0x0a || bytes[last] == 0x0d { range = range.dropLast() }
    return range
  }

  mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    faults.removeAll(keepingCapacity: true)
  }
}

/// Cuts an input, as its bytes arrive, into JSON documents.
package protocol DocumentFraming: Sendable {
  /// Takes the complete documents out of the front of `input`, and leaves what is not complete yet.
  ///
  /// - Parameters:
  ///   - isFinal: nothing follows, so the rest is complete as it is.
  ///   - batch: what it held before is dropped.
  /// - Throws: when no later byte can be made sense of either.
  mutating func frame(_ input: inout [UInt8], isFinal: Bool, into batch: inout DocumentBatch) throws(HeadraceError)
}

/// Something in the input that is no event: where, what was found, and how to mend it.
package struct InputFault: Equatable, Sendable {
  /// From 1.
  package var line: Int
  /// From 1, in characters; nil where the whole line is meant.
  package var column: Int?
  package var message: String
  package var remedy: String

  package init(line: Int, column: Int?, message: String, remedy: String) {
    self.line = line
    self.column = column
    self.message = message
    self.remedy = remedy
  }

  /// The form that editors and terminals turn into a link: `FILE:LINE:COLUMN: what (how to mend)`.
  package func description(file: String) -> String {
    let place = column.map { "\(file):\(line):\($0)" } ?? "\(file):\(line)"
    return "\(place): \(message) (\(remedy))"
  }
}
