import Columns
import Core
import Parquet
import Testing

struct SchemaTests {
  @Test func `leaves know their levels`() throws {
    let schema = try ParquetSchema([
      .column("id", .integer, isNullable: false),
      .structure(
        "add",
        [
          .column("path", .string, isNullable: false),
          .map("partitionValues", key: .column("key", .string), value: .column("value", .string)),
          .list("features", element: .column("element", .string, isNullable: false)),
        ]),
    ])
    #expect(
      schema.leaves.map(\.name) == [
        "id", "add.path", "add.partitionValues.key_value.key", "add.partitionValues.key_value.value",
        "add.features.list.element",
      ])
    #expect(schema.leaves.map(\.maximumDefinitionLevel) == [0, 1, 3, 4, 3])
    #expect(schema.leaves.map(\.maximumRepetitionLevel) == [0, 0, 1, 1, 1])
    #expect(schema.leaf("add.path")?.index == 1)
  }

  @Test func `a decimal is stored in the narrowest type`() throws {
    let expected: [(Int, ParquetPhysicalType, Int)] = [
      (1, .int32, 0), (9, .int32, 0), (10, .int64, 0), (18, .int64, 0), (19, .fixedLengthByteArray, 9),
      (38, .fixedLengthByteArray, 16),
    ]
    for (precision, type, length) in expected {
      let field = ParquetField.column("d", .decimal(scale: 1), decimalPrecision: precision)
      #expect(field.content == .leaf(type, length: length), "precision \(precision)")
    }
  }

  @Test func `trees that mean nothing are refused with their place`() {
    let group = ParquetField.structure("a", [.structure("b", [])])
    let wide = ParquetField.column("d", .decimal(scale: 3), decimalPrecision: 39)
    let negative = ParquetField.column("d", .decimal(scale: -1))
    for fields in [[group], [wide], [negative]] {
      let error = #expect(throws: HeadraceError.self) { try ParquetSchema(fields) }
      #expect(error?.code == "PARQUET_SCHEMA")
      #expect(error?.place?.hasPrefix("column ") == true)
    }
  }
}
