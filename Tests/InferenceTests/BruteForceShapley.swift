@testable import Inference

/// Shapley values by their definition: every subset of the features, every path of the trees.
struct BruteForceShapley {
  let ensemble: TreeEnsemble

  /// For each feature its contribution to an output, and last the base value.
  func contributions(_ row: [Float], output: Int) -> [Double] {
    let count = ensemble.featureCount
    let values = (0..<1 << count).map { value(of: row, known: $0, output) }
    var factorials = [1.0]
    for number in 1...max(count, 1) { factorials.append(factorials[number - 1] * Double(number)) }
    var contributions = [Double](repeating: 0, count: count + 1)
    for feature in 0..<count {
      for known in 0..<1 << count where known & 1 << feature == 0 {
        let size = known.nonzeroBitCount
        let weight = factorials[size] * factorials[count - size - 1] / factorials[count]
        contributions[feature] += weight * (values[known | 1 << feature] - values[known])
      }
    }
    contributions[count] = values[0]
    return contributions
  }

  private func value(of row: [Float], known: Int, _ output: Int) -> Double {
    var sum = ensemble.starts[output]
    for tree in ensemble.trees {
      for leaves in tree.outputs where leaves.output == output { sum += value(tree, leaves, row, known, at: 0) }
    }
    return sum
  }

  private func value(_ tree: DecisionTree, _ leaves: LeafOutput, _ row: [Float], _ known: Int, at node: Int) -> Double {
    switch tree.nodes[node] {
    case .leaf(let leaf): return leaves.values[leaf]
    case .split(let split, let left, let right):
      if known & 1 << split.feature != 0 {
        let goesLeft = split.goesLeft(row[split.feature], ensemble.categoryRule)
        return value(tree, leaves, row, known, at: goesLeft ? left : right)
      }
      return [left, right].reduce(0) { sum, child in
        let share = tree.covers[node] > 0 ? tree.covers[child] / tree.covers[node] : 0.5
        return sum + share * value(tree, leaves, row, known, at: child)
      }
    }
  }
}

extension TreeEnsemble {
  /// Counts for every node: leaves get few rows, now and then none, and a node what its children have.
  mutating func addCovers(using generator: inout some RandomNumberGenerator) {
    for index in trees.indices {
      var covers = [Double](repeating: 0, count: trees[index].nodes.count)
      var order: [Int] = []
      var open = [0]
      while let node = open.popLast() {
        order.append(node)
        if case .split(_, let left, let right) = trees[index].nodes[node] { open += [left, right] }
      }
      for node in order.reversed() {
        switch trees[index].nodes[node] {
        case .leaf: covers[node] = Double(Int.random(in: 0...9, using: &generator))
        case .split(_, let left, let right): covers[node] = covers[left] + covers[right]
        }
      }
      trees[index].covers = covers
    }
  }
}
