internal import Codecs
internal import Core

/// What is wrong with a piece of a file. Where it lies is added by those who know.
struct ParquetFault: Error, Equatable {
  enum Kind: String {
    case corrupt = "PARQUET_CORRUPT"
    case unsupported = "PARQUET_UNSUPPORTED"
    case tooLarge = "PARQUET_TOO_LARGE"
  }

  var kind: Kind
  var message: String

  static func corrupt(_ message: String) -> ParquetFault { .init(kind: .corrupt, message: message) }
  static func unsupported(_ message: String) -> ParquetFault { .init(kind: .unsupported, message: message) }
  static func tooLarge(_ message: String) -> ParquetFault { .init(kind: .tooLarge, message: message) }

  static func codec(_ error: CodecError) -> ParquetFault {
    switch error.kind {
    case .corrupt, .truncated: .corrupt(error.detail)
    case .tooLarge: .tooLarge(error.detail)
    case .unsupported: .unsupported(error.detail)
    }
  }

  func error(at place: String) -> HeadraceError {
    let remedy =
      switch kind {
      case .corrupt: "the file is damaged, or its writer is at fault: write it again"
      case .unsupported: "write the column with a plainer type, encoding or codec"
      case .tooLarge: "write the file with smaller pages, or read fewer rows at once"
      }
    return HeadraceError(.external, kind.rawValue, message, place: place, remedy: remedy)
  }
}
