/// Scores a row in the plainest way: node by node, sum by sum. What the kernels must agree with.
package struct ReferenceScorer: Sendable {
  private let model: Model

  package init(_ model: Model) { self.model = model }

  package func score(_ row: [Float]) -> [Double] {
    switch model.body {
    case .trees(let ensemble, let stages): Self.score(ensemble, stages, row)
    case .program(let program): ReferenceProgram(program).score(row).map(Double.init)
    }
  }

  static func score(_ ensemble: TreeEnsemble, _ stages: [OutputStage], _ row: [Float]) -> [Double] {
    var sums = ensemble.starts
    for tree in ensemble.trees {
      let leaf = tree.leaf(of: row, rule: ensemble.categoryRule)
      for output in tree.outputs {
        switch ensemble.precision {
        case .float64: sums[output.output] += output.values[leaf]
        case .float32: sums[output.output] = Double(Float(sums[output.output]) + Float(output.values[leaf]))
        }
      }
    }
    if ensemble.precision == .float32 { sums = sums.map { Double(Float($0)) } }
    for stage in stages {
      let width = sums.count
      if stage.width(after: width) > width { sums.append(0) }
      let stride = sums.count
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        guard let start = sums.baseAddress else { return }
        unsafe stage.apply(start, rowCount: 1, width: width, stride: stride, precision: ensemble.precision)
      }
      sums.removeLast(sums.count - stage.width(after: width))
    }
    return sums
  }
}

extension DecisionTree {
  func leaf(of row: [Float], rule: CategoryRule) -> Int {
    var index = 0
    while true {
      switch nodes[index] {
      case .leaf(let leaf): return leaf
      case .split(let split, let left, let right): index = split.goesLeft(row[split.feature], rule) ? left : right
      }
    }
  }
}

extension Split {
  func goesLeft(_ value: Float, _ rule: CategoryRule) -> Bool {
    if value.isNaN || (zeroIsMissing && value.magnitude <= 1e-35) { return missingGoesLeft }
    switch test {
    case .atMost(let threshold): return value <= threshold
    case .equals(let other): return value == other
    case .isPresent: return true
    case .isMember(let set): return rule.category(of: value).map(set.contains) ?? false
    }
  }
}

extension CategoryRule {
  /// nil when the value is no category.
  func category(of value: Float) -> Int32? {
    switch self {
    case .truncated: Int32(exactly: value.rounded(.towardZero)).flatMap { $0 >= 0 ? $0 : nil }
    case .notNegative: value < 0 ? nil : Int32(exactly: value.rounded(.towardZero))
    case .exact: Int32(exactly: value).flatMap { $0 >= 0 ? $0 : nil }
    }
  }
}
