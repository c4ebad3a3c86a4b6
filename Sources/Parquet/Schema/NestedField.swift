/// A field with its levels, and what its group stands for: both directions of nested columns walk over this.
struct NestedField {
  indirect enum Shape {
    case leaf
    case structure([NestedField])
    /// `unwraps`: the repeated group has one field, which is the element itself.
    case list(NestedField, unwraps: Bool)
    /// A repeated group of a key and a value.
    case map(NestedField)
  }

  let name: String
  let repetition: ParquetRepetition
  /// The level of an entry where this field is there.
  let definitionLevel: Int
  let repetitionLevel: Int
  /// Leaves below it, counted over all fields that are walked.
  let leaves: Range<Int>
  let shape: Shape

  init(_ field: ParquetField, definitionLevel outer: Int, repetitionLevel outerRepetition: Int, nextLeaf: inout Int) {
    name = field.name
    repetition = field.repetition
    definitionLevel = outer + (field.repetition == .required ? 0 : 1)
    repetitionLevel = outerRepetition + (field.repetition == .repeated ? 1 : 0)
    let first = nextLeaf
    switch field.content {
    case .leaf:
      nextLeaf += 1
      shape = .leaf
    case .group(let fields):
      var children: [NestedField] = []
      for child in fields {
        children.append(
          NestedField(
            child, definitionLevel: definitionLevel, repetitionLevel: repetitionLevel, nextLeaf: &nextLeaf))
      }
      shape = Self.shape(field, fields, children)
    }
    leaves = first..<nextLeaf
  }

  /// By the annotation, with the rules for files from before the three levels of lists were agreed on
  /// (LogicalTypes.md, backward compatibility).
  private static func shape(_ field: ParquetField, _ fields: [ParquetField], _ children: [NestedField]) -> Shape {
    guard field.repetition != .repeated, fields.count == 1, fields[0].repetition == .repeated else {
      return .structure(children)
    }
    switch (field.logicalType, fields[0].content) {
    case (.map, .group(let pair)) where pair.count == 2 && pair.allSatisfy { $0.repetition != .repeated }:
      return .map(children[0])
    case (.list, .leaf): return .list(children[0], unwraps: false)
    case (.list, .group(let inner)):
      let isElement =
        inner.count != 1 || inner[0].repetition == .repeated || fields[0].name == "array"
        || fields[0].name == "\(field.name)_tuple"
      return .list(children[0], unwraps: !isElement)
    default: return .structure(children)
    }
  }
}
