/// Wire types of Thrift's compact protocol.
enum CompactType: UInt8 {
  case stop = 0
  case booleanTrue
  case booleanFalse
  case byte
  case int16
  case int32
  case int64
  case double
  case binary
  case list
  case set
  case map
  case structure
  case uuid
}

/// The head of one field of a structure.
struct CompactField {
  var id: Int16
  var type: CompactType
}
