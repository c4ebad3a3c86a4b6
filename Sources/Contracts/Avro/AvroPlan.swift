/// How records of one writer are read into the cells of one decoder: Avro's schema resolution, done once for each
/// writer's schema.
///
/// It is lenient where a record can still be read: names of records need not agree, a field that nobody wants need not
/// resolve, and what cannot be resolved is a fault of those records only that have it.
final class AvroPlan: Sendable {
  /// What to do with the next value in the bytes. Cases hold numbers only: a step is taken for every value of every
  /// record, and must not count references.
  enum Step: Sendable {
    case nothing
    case skip(byteCount: Int)
    case skipVarint
    case skipText
    case skipBlocks(item: Int, isMap: Bool)
    /// Steps `parts[first ..< first + count]`, one after the other.
    case sequence(first: Int, count: Int)
    /// One of the steps `parts[first ..< first + count]`.
    case union(first: Int, count: Int)
    /// Cells `parts[first ..< first + count]`.
    case null(first: Int, count: Int)
    case string(cell: Int)
    case double(cell: Int)
    case long(factor: Int64, cell: Int)
    /// Any other scalar: `scalars[scalar]`.
    case scalar(scalar: Int, cell: Int)
    case document(writer: AvroSchema.TypeID, reader: AvroSchema.TypeID, cell: Int)
    case failure(FaultCode, cell: Int)
  }

  let writer: AvroSchema
  let reader: AvroSchema
  let steps: [Step]
  let parts: [Int]
  let scalars: [AvroScalar]
  let root: Int
  /// Cells that this writer's records never fill, and how far up the way to them the first field that is missing is.
  let absent: [(cell: Int, level: Int)]

  init(writer: AvroSchema, contract: Contract, fields: [Int]) {
    var compiler = AvroPlanCompiler(writer: writer, contract: contract, fields: fields)
    root = compiler.compile()
    self.writer = writer
    reader = contract.schema
    steps = compiler.steps
    parts = compiler.parts
    scalars = compiler.scalars
    absent = compiler.absent
  }
}

/// The fields that are wanted, as the tree of records that they are in.
private struct Target {
  var cell: Int?
  var children: [String: Target] = [:]

  /// Every cell in here.
  var cells: [Int] { (cell.map { [$0] } ?? []) + children.values.flatMap(\.cells) }

  mutating func insert(_ cell: Int, _ path: ArraySlice<FieldStep>) {
    guard let first = path.first else { return self.cell = cell }
    children[first.name, default: Target()].insert(cell, path.dropFirst())
  }
}

private struct AvroPlanCompiler {
  let writer: AvroSchema
  let reader: AvroSchema
  var steps: [AvroPlan.Step] = []
  var parts: [Int] = []
  var scalars: [AvroScalar] = []
  var absent: [(cell: Int, level: Int)] = []
  private var wanted = Target()
  private var skips: [AvroSchema.TypeID: Int] = [:]

  init(writer: AvroSchema, contract: Contract, fields: [Int]) {
    self.writer = writer
    reader = contract.schema
    for (cell, field) in fields.enumerated() { wanted.insert(cell, contract.fields[field].steps[...]) }
  }

  mutating func compile() -> Int { value(writer.root, reader.root, wanted, level: 0) }

  private mutating func add(_ step: AvroPlan.Step) -> Int {
    steps.append(step)
    return steps.count - 1
  }

  /// Where a list begins in `parts`, and how long it is.
  private mutating func list(_ items: [Int]) -> (first: Int, count: Int) {
    parts += items
    return (parts.count - items.count, items.count)
  }

  private mutating func add(_ scalar: AvroScalar, cell: Int) -> Int {
    if let step = scalar.plainStep(cell: cell) { return add(step) }
    scalars.append(scalar)
    return add(.scalar(scalar: scalars.count - 1, cell: cell))
  }

  /// The step that reads a value of the writer's type for a target.
  private mutating func value(
    _ from: AvroSchema.TypeID, _ to: AvroSchema.TypeID, _ target: Target, level: Int
  ) -> Int {
    if case .union(let branches) = writer.types[from].shape {
      let choices = list(branches.map { value($0, to, target, level: level) })
      return add(.union(first: choices.first, count: choices.count))
    }
    // A column of several types holds JSON text and resolves for each value.
    if let cell = target.cell, case .document(let id)? = FieldEncoding(reader, reader.nullableBranch(to) ?? to) {
      if writer.isNull(from) && reader.allowsNull(to) { return null([cell]) }
      return add(.document(writer: from, reader: id, cell: cell))
    }
    if writer.isNull(from) { return null(to, target) }
    let to = reader.nullableBranch(to) ?? to
    if case .record(let readerFields) = reader.types[to].shape {
      if let cell = target.cell { return add(.document(writer: from, reader: to, cell: cell)) }
      guard case .record(let writerFields) = writer.types[from].shape else { return failure(target) }
      return record(writerFields, readerFields, target, level: level)
    }
    guard let cell = target.cell, let scalar = AvroScalar(writer, from, reader, to) else { return failure(target) }
    return add(scalar, cell: cell)
  }

  private mutating func null(_ to: AvroSchema.TypeID, _ target: Target) -> Int {
    let cells = target.cells.sorted()
    guard let first = cells.first, !reader.allowsNull(to) else { return null(cells) }
    return add(.failure(.nullValue, cell: first))
  }

  private mutating func null(_ cells: [Int]) -> Int {
    let cells = list(cells)
    return add(.null(first: cells.first, count: cells.count))
  }

  private mutating func failure(_ target: Target) -> Int {
    add(target.cells.min().map { .failure(.incompatibleSchema, cell: $0) } ?? .nothing)
  }

  /// The writer's fields in the writer's order.
  private mutating func record(
    _ writerFields: [AvroField], _ readerFields: [AvroField], _ target: Target, level: Int
  ) -> Int {
    var order: [Int] = []
    var found: Set<String> = []
    for field in writerFields {
      let match = AvroResolution.readerField(for: field.name, among: readerFields)
      if let match, let inner = target.children[match.name], found.insert(match.name).inserted {
        order.append(value(field.type, match.type, inner, level: level + 1))
      } else {
        order.append(skip(field.type))
      }
    }
    for (name, inner) in target.children where !found.contains(name) {
      absent += inner.cells.map { ($0, level) }
    }
    let steps = list(order)
    return add(.sequence(first: steps.first, count: steps.count))
  }

  /// The step that reads a value nobody wants.
  private mutating func skip(_ id: AvroSchema.TypeID) -> Int {
    if let known = skips[id] { return known }
    // A type may contain itself: its number is known before its parts are.
    let index = add(.nothing)
    skips[id] = index
    switch writer.types[id].shape {
    case .null: break
    case .boolean: steps[index] = .skip(byteCount: 1)
    case .int, .long, .enumeration: steps[index] = .skipVarint
    case .float: steps[index] = .skip(byteCount: 4)
    case .double: steps[index] = .skip(byteCount: 8)
    case .bytes, .string: steps[index] = .skipText
    case .fixed(let size): steps[index] = .skip(byteCount: size)
    case .array(let item): steps[index] = .skipBlocks(item: skip(item), isMap: false)
    case .map(let item): steps[index] = .skipBlocks(item: skip(item), isMap: true)
    case .record(let fields):
      let inner = list(fields.map { skip($0.type) })
      steps[index] = .sequence(first: inner.first, count: inner.count)
    case .union(let branches):
      let inner = list(branches.map { skip($0) })
      steps[index] = .union(first: inner.first, count: inner.count)
    }
    return index
  }
}

/// The parts of schema resolution that need no bytes.
enum AvroResolution {
  /// The reader's field that a writer's field fills: the one of its name, else one with that alias.
  static func readerField(for name: String, among fields: [AvroField]) -> AvroField? {
    fields.first { $0.name == name } ?? fields.first { $0.aliases.contains(name) }
  }

  /// The writer's field that fills a reader's field.
  static func writerField(for field: AvroField, among fields: [AvroField]) -> AvroField? {
    fields.first { $0.name == field.name } ?? fields.first { field.aliases.contains($0.name) }
  }

  /// The branch of a reader's union that takes a writer's type: the same type first, then what it can be promoted to.
  static func branch(
    of branches: [AvroSchema.TypeID], _ reader: AvroSchema, for id: AvroSchema.TypeID, _ writer: AvroSchema
  ) -> AvroSchema.TypeID? {
    let type = writer.types[id]
    return branches.first { reader.types[$0].title == type.title }
      ?? branches.first { branch in
        switch (type.shape, reader.types[branch].shape) {
        case (.record, .record), (.array, .array), (.map, .map), (.null, .null): true
        default: AvroScalar(writer, id, reader, branch) != nil
        }
      }
  }

  /// Whether a named type of the reader is the writer's: the names without namespaces agree, or an alias does.
  static func namesAgree(_ writer: AvroType, _ reader: AvroType) -> Bool {
    guard let from = writer.name, let to = reader.name else { return true }
    return AvroType.unqualified(from) == AvroType.unqualified(to) || reader.aliases.contains(from)
  }
}
