internal import Core

final class AvroCellReader: CellReader {
  init(_ contract: Contract, fields: [Int], isFramed: Bool, schemas: any WriterSchemas) throws(HeadraceError) {
    throw HeadraceError(.internal, "AVRO_MISSING", "the Avro format is being written")
  }
  func read(_ decoder: RecordDecoder, _ faults: inout [RecordFault]) throws(HeadraceError) {}
}
