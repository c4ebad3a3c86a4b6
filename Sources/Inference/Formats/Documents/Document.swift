internal import Core

/// A JSON or UBJSON document. Arrays of numbers alone, which are nearly all of a model, are plain arrays.
enum Document: Sendable {
  case null
  case boolean(Bool)
  case number(Double)
  case text(String)
  case numbers([Double])
  case list([Document])
  case object([String: Document])

  /// For a message: what this is.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .number: "a number"
    case .text: "a string"
    case .numbers: "an array of numbers"
    case .list: "an array"
    case .object: "an object"
    }
  }
}

/// A document, and the way to it: errors name it.
struct DocumentNode {
  let value: Document
  let path: String

  init(_ value: Document, path: String = "$") {
    self.value = value
    self.path = path
  }

  func wrong(_ expected: String) -> HeadraceError {
    ModelFault.unreadable("\(value.kind), expected \(expected)", place: path)
  }

  /// A member that may be missing.
  func member(_ name: String) throws(HeadraceError) -> DocumentNode? {
    guard case .object(let members) = value else { throw wrong("an object") }
    return members[name].map { DocumentNode($0, path: "\(path).\(name)") }
  }

  func required(_ name: String) throws(HeadraceError) -> DocumentNode {
    guard let member = try member(name) else {
      throw ModelFault.unreadable("member \(name) is missing", place: path)
    }
    return member
  }

  func text() throws(HeadraceError) -> String {
    guard case .text(let text) = value else { throw wrong("a string") }
    return text
  }

  /// XGBoost writes parameters as strings.
  func looseNumber() throws(HeadraceError) -> Double {
    switch value {
    case .number(let number): return number
    case .boolean(let boolean): return boolean ? 1 : 0
    case .text(let text):
      guard let number = Double(text) else { throw wrong("a number, in a string or not") }
      return number
    default: throw wrong("a number")
    }
  }

  func looseInteger(in range: ClosedRange<Int>) throws(HeadraceError) -> Int {
    let number = try looseNumber()
    guard let integer = Int(exactly: number), range.contains(integer) else {
      throw ModelFault.invalid(
        "\(number), expected an integer from \(range.lowerBound) to \(range.upperBound)", place: path)
    }
    return integer
  }

  func list() throws(HeadraceError) -> [DocumentNode] {
    switch value {
    case .list(let items):
      return items.enumerated().map { DocumentNode($0.element, path: "\(path)[\($0.offset)]") }
    case .numbers(let numbers):
      return numbers.enumerated().map { DocumentNode(.number($0.element), path: "\(path)[\($0.offset)]") }
    default: throw wrong("an array")
    }
  }

  /// Numbers; booleans count as 0 and 1.
  func numbers() throws(HeadraceError) -> [Double] {
    switch value {
    case .numbers(let numbers): return numbers
    case .list(let items):
      var numbers: [Double] = []
      numbers.reserveCapacity(items.count)
      for (index, item) in items.enumerated() {
        numbers.append(try DocumentNode(item, path: "\(path)[\(index)]").looseNumber())
      }
      return numbers
    default: throw wrong("an array of numbers")
    }
  }

  /// Integers of any size that a model has.
  func integers() throws(HeadraceError) -> [Int] {
    let numbers = try numbers()
    var integers: [Int] = []
    integers.reserveCapacity(numbers.count)
    for (index, number) in numbers.enumerated() {
      guard let integer = Int(exactly: number) else {
        throw ModelFault.invalid("\(number), expected an integer", place: "\(path)[\(index)]")
      }
      integers.append(integer)
    }
    return integers
  }
}
