internal import Columns
internal import Core
internal import OfflineStore
internal import Runtime
internal import Storage
internal import Topology

/// Why the features of a key are what they are: what the command and the server have in common.
struct FeatureExplaining {
  let plan: Plan
  let tables: any BlobStore

  /// - Parameters:
  ///   - parts: of the key, one for each join key.
  ///   - features: empty for all.
  /// - Throws: `NO_SUCH_VIEW`, `NO_SUCH_FEATURE`, `KEY_INVALID`; what reading the archive throws.
  func explain(
    view: String, key parts: [String], atMilliseconds: Int64, features: [String]
  ) throws -> (row: RowExplanation, key: [(String, ServedValue)]) {
    let found = try specification(of: view)
    let names = found.point.features.map(\.name)
    if let wrong = features.first(where: { !names.contains($0) }) {
      throw HeadraceError(
        .user, "NO_SUCH_FEATURE", "there is no feature \(wrong)", place: view,
        remedy: "one of \(names.joined(separator: ", "))")
    }
    guard parts.count == found.joinKeys.count else {
      throw HeadraceError(
        .user, "KEY_INVALID", "found \(parts.count) values, expected \(found.joinKeys.count)", place: view,
        remedy: "give one for each of \(found.joinKeys.joined(separator: ", "))")
    }
    var values: [Value] = []
    for (text, type) in zip(parts, found.joinTypes) {
      guard let value = Self.value(text, type) else {
        throw HeadraceError(.user, "KEY_INVALID", "'\(text)': the key is of type \(type)", place: view)
      }
      values.append(value)
    }
    let row = try RowExplainer(found, tables: tables).explain(
      key: values, atMilliseconds: atMilliseconds, .known, features: features)
    return (row, zip(found.joinKeys, values).map { ($0, ServedValue($1)) })
  }

  /// - Throws: `NO_SUCH_VIEW`.
  func joinKeys(of view: String) throws(HeadraceError) -> [String] { try specification(of: view).joinKeys }

  private func specification(of view: String) throws(HeadraceError) -> ParitySpecification.View {
    if let found = ParitySpecification(plan).view(named: view) { return found }
    throw HeadraceError(
      .user, "NO_SUCH_VIEW", "there is no such view", place: view,
      remedy: "one of \(plan.views.map(\.name).joined(separator: ", "))")
  }

  /// A key as a person writes it, of the type that the archive has.
  private static func value(_ text: String, _ type: ColumnType) -> Value? {
    switch type.storage {
    case .integers: Int64(text).flatMap { ServedValue.integer($0).value(of: type) }
    case .doubles: Double(text).map { .double($0) }
    default: ServedValue.text(text).value(of: type)
    }
  }
}
