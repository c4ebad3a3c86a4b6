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
