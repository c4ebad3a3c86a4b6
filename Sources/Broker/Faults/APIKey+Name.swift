extension APIKey {
  /// The API by its case's name, in any capitals and with or without hyphens: `endTxn`, `end-txn`, `joingroup`.
  init?(name: String) {
    let wanted = name.lowercased().filter { $0 != "-" && $0 != "_" }
    guard let key = Self.allCases.first(where: { "\($0)".lowercased() == wanted }) else { return nil }
    self = key
  }
}
