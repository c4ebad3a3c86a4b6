package import Columns
internal import Core

/// Writes decoded events as JSON documents of their contract: what `RecordDecoder` makes of such a document is the row
/// again, bit for bit.
///
/// The document is not the one that the row came from: fields stand in the contract's order, those that were left out
/// are written with their defaults, those that the contract does not know are gone, and numbers, escapes and white
/// space have one form. A nested record whose fields are all null is null where the contract allows that.
package struct EventDocument: Sendable {
  private let contract: Contract
  private var nodes: [Node] = [Node(name: "", isNullable: false)]

  private struct Node: Sendable {
    var name: String
    /// Whether a record may be null here.
    var isNullable: Bool
    /// A position in `Contract.fields`; nil of a record.
    var field: Int?
    var children: [Int] = []
  }

  package init(_ contract: Contract) {
    self.contract = contract
    for (field, type) in contract.fields.enumerated() {
      var node = 0
      for (depth, step) in type.steps.enumerated() {
        node = child(of: node, step, field: depth == type.steps.count - 1 ? field : nil)
      }
    }
  }

  private mutating func child(of parent: Int, _ step: FieldStep, field: Int?) -> Int {
    if field == nil, let known = nodes[parent].children.first(where: { nodes[$0].name == step.name }) { return known }
    nodes.append(Node(name: step.name, isNullable: step.isNullable, field: field))
    nodes[parent].children.append(nodes.count - 1)
    return nodes.count - 1
  }

  /// Appends a row's document.
  ///
  /// - Parameter batch: begins with a column for each of the contract's fields, in their order.
  package func write(_ batch: borrowing ColumnBatch, row: Int, to json: inout [UInt8]) {
    write(0, batch, row, &json)
  }

  private func write(_ index: Int, _ batch: borrowing ColumnBatch, _ row: Int, _ json: inout [UInt8]) {
    let node = nodes[index]
    if let field = node.field { return write(field: field, batch, row, &json) }
    guard !node.isNullable || hasValue(index, batch, row) else {
      json += "null".utf8
      return
    }
    json.append(UInt8(ascii: "{"))
    for (position, child) in node.children.enumerated() {
      if position > 0 { json.append(UInt8(ascii: ",")) }
      JSONText.appendString(nodes[child].name, to: &json)
      json.append(UInt8(ascii: ":"))
      write(child, batch, row, &json)
    }
    json.append(UInt8(ascii: "}"))
  }

  private func hasValue(_ index: Int, _ batch: borrowing ColumnBatch, _ row: Int) -> Bool {
    if let field = nodes[index].field { return batch.columns[field].isValid[row] }
    for child in nodes[index].children where hasValue(child, batch, row) { return true }
    return false
  }

  private func write(field: Int, _ batch: borrowing ColumnBatch, _ row: Int, _ json: inout [UInt8]) {
    guard batch.columns[field].isValid[row] else {
      json += "null".utf8
      return
    }
    let type = contract.fields[field]
    if case .document = type.encoding {
      // Canonical JSON already.
      json += batch.columns[field].text.bytes[batch.columns[field].text.range(row)]
      return
    }
    if case .integer(_, let factor, .timestamp) = type.encoding {
      let (seconds, microseconds) = batch.columns[field].integers[row].flooredQuotient(by: 1_000_000)
      // Text may have said more digits than the schema's numbers have.
      if microseconds % factor != 0 {
        return JSONText.appendString(Self.text(seconds: seconds, microseconds: microseconds), to: &json)
      }
    }
    guard let cell = JSONScalar.Cell(batch.columns[field].value(row)) else { return }
    JSONScalar(encoding: type.encoding, allowsNaN: type.constraints.allowsNaN).write(cell, to: &json)
  }

  /// `2013-01-31T05:06:07.000123Z`.
  private static func text(seconds: Int64, microseconds: Int64) -> String {
    let digits = String(microseconds)
    let whole = RFC3339.text(milliseconds: seconds &* 1_000)
    let head = whole.prefix { $0 != "." && $0 != "Z" }
    return "\(head).\(String(repeating: "0", count: 6 - digits.count))\(digits)Z"
  }
}

extension Int64 {
  /// Quotient and remainder, the remainder never negative.
  fileprivate func flooredQuotient(by divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
