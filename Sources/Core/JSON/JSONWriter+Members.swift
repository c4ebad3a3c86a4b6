extension JSONWriter {
  package mutating func member(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  package mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    number(value)
  }

  package mutating func member(_ name: String, _ flag: Bool) {
    key(name)
    boolean(flag)
  }
}

extension JSONWriter {
  package mutating func member(_ name: String, _ number: Double) {
    key(name)
    double(number)
  }

  /// The shortest digits that read back as the same number. JSON has no word for what is not finite: NaN is null, and
  /// infinities are numbers beyond every double, which readers take for one.
  package mutating func double(_ number: Double) {
    guard !number.isNaN else { return null() }
    raw((number.isFinite ? "\(number)" : number > 0 ? "1e999" : "-1e999").utf8)
  }
}
