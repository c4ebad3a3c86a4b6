internal import Core
internal import Columns

extension Contract {
  /// Turns a record of records into columns.
  ///
  /// A nested record is replaced by its fields. Where a record contains itself, the inner one is one column that holds
  /// its JSON.
  struct Flattening {
    let schema: AvroSchema
    let json: [UInt8]
    private var result: [ContractField] = []
    private var open: Set<AvroSchema.TypeID> = []
    /// Records inside of records multiply, those without fields as well.
    private var stepsLeft = 10 * Contract.fieldsMax

    typealias Fault = AvroSchemaParser.Fault

    init(schema: AvroSchema, json: [UInt8]) {
      self.schema = schema
      self.json = json
    }

    mutating func fields() throws(Fault) -> [ContractField] {
      guard case .record(let fields) = schema.types[schema.root].shape else {
        throw Fault(
          offset: 0, message: "found \(schema.types[schema.root].title), expected a record at the top of a contract",
          remedy: "wrap it: {\"type\": \"record\", \"name\": …, \"fields\": [{\"name\": \"value\", …}]}")
      }
      open.insert(schema.root)
      for field in fields { try add(field, below: [], defaults: []) }
      return result
    }

    /// - Parameter defaults: for each step above, what it says about this field when it is missing itself.
    private mutating func add(
      _ field: AvroField, below steps: [FieldStep], defaults: [JSONDocument?]
    ) throws(Fault) {
      stepsLeft -= 1
      guard stepsLeft > 0, result.count < Contract.fieldsMax else {
        throw Fault(offset: 0, message: "more than \(Contract.fieldsMax) fields", remedy: "split the contract")
      }
      let branch = schema.nullableBranch(field.type)
      let type = branch ?? field.type
      let isNullable = schema.allowsNull(field.type)
      // A default of an outer record says what its fields are; where it leaves one out, that field's own counts.
      let inherited = defaults.map { $0.flatMap { $0.isNull ? $0 : $0[field.name] ?? field.defaultValue } }
      let own = inherited + [field.defaultValue]
      let step = FieldStep(name: field.name, isNullable: isNullable)
      guard case .record(let fields) = schema.types[type].shape, !open.contains(type),
        steps.count < AvroSchema.depthMax
      else { return try addLeaf(field, type, steps + [step], defaults: own) }
      if let constraints = field.constraints {
        throw .expected(
          "no constraints on a record", found: constraints, (steps + [step]).path,
          remedy: "put them on the record's fields")
      }
      open.insert(type)
      for inner in fields { try add(inner, below: steps + [step], defaults: own) }
      open.remove(type)
    }

    private mutating func addLeaf(
      _ field: AvroField, _ type: AvroSchema.TypeID, _ steps: [FieldStep], defaults: [JSONDocument?]
    ) throws(Fault) {
      let encoding = FieldEncoding(schema, type) ?? .document(type)
      let path = steps.path
      if case .decimal(let precision, _, _) = encoding, precision > 38 {
        throw Fault(
          offset: field.defaultValue?.range.lowerBound ?? 0,
          message: "\(path): a decimal of \(precision) digits; columns hold at most 38", remedy: "lower the precision")
      }
      let constraints =
        try field.constraints.map { json throws(Fault) in
          try ConstraintsParser(type: encoding.columnType, encoding: encoding, path: path).constraints(json)
        } ?? Constraints()
      var steps = steps
      for index in steps.indices {
        guard !constraints.isRequired else { continue }
        steps[index].valueWhenMissing = value(defaults[index], encoding, isNullable: steps[index].isNullable)
      }
      result.append(
        ContractField(
          path: path, type: encoding.columnType,
          isNullable: !constraints.isRequired && steps.contains { $0.isNullable },
          defaultValue: steps.last?.valueWhenMissing,
          constraints: constraints, schemaType: type, encoding: encoding, steps: steps))
    }

    /// What a missing field says: its default; null where null is allowed and there is none.
    private func value(_ json: JSONDocument?, _ encoding: FieldEncoding, isNullable: Bool) -> Value? {
      guard let json, !json.isNull else { return json != nil || isNullable ? .null : nil }
      return AvroDefault(schema.types).value(json, encoding, schema)
    }
  }
}

extension [FieldStep] {
  /// Avro names have no dots, so that a path is unambiguous.
  var path: String { map(\.name).joined(separator: ".") }
}
