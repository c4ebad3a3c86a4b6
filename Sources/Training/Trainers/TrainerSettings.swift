internal import Core

/// `key=value` pairs of a file or a flag, taken out one by one; what is left over is unknown.
struct TrainerSettings {
  private let trainer: String
  private var values: [(name: String, value: String)]
  private var known: [String] = []

  /// - Throws: `TRAINING_PARAMETER` for a name that comes twice.
  init(_ settings: [(name: String, value: String)], trainer: String) throws(HeadraceError) {
    self.trainer = trainer
    values = settings
    for (index, setting) in settings.enumerated() where settings[..<index].contains(where: { $0.name == setting.name }) {
      throw fault("`\(setting.name)` is there twice", remedy: "keep one of them")
    }
  }

  mutating func integer(_ name: String, _ range: ClosedRange<Int>, into target: inout Int) throws(HeadraceError) {
    guard let text = take(name) else { return }
    guard let value = Int(text), range.contains(value) else {
      throw fault(
        "`\(name)` is \(text.prefix(60))", remedy: "write a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    target = value
  }

  mutating func number(
    _ name: String, _ range: ClosedRange<Double>, into target: inout Double
  ) throws(HeadraceError) {
    guard let text = take(name) else { return }
    guard let value = Double(text), range.contains(value) else {
      throw fault("`\(name)` is \(text.prefix(60))", remedy: "write a number from \(range.lowerBound) to \(range.upperBound)")
    }
    target = value
  }

  /// - Throws: `TRAINING_PARAMETER` when something is left that nobody has asked for.
  func finish() throws(HeadraceError) {
    guard let left = values.first else { return }
    throw fault(
      "there is no parameter `\(left.name.prefix(60))`",
      remedy: NearestName.of(left.name, in: known).map { "did you mean `\($0)`?" }
        ?? "there are \(known.joined(separator: ", "))")
  }

  private mutating func take(_ name: String) -> String? {
    known.append(name)
    guard let index = values.firstIndex(where: { $0.name == name }) else { return nil }
    return values.remove(at: index).value
  }

  private func fault(_ what: String, remedy: String) -> HeadraceError {
    HeadraceError(.user, "TRAINING_PARAMETER", what, place: "trainer \(trainer)", remedy: remedy)
  }
}
