import Core
import Testing

@testable import Inference

/// Contributions against Shapley's definition, on every instruction set, in blocks and row by row.
@Suite struct ExplanationTests {
  private static func model(_ ensemble: TreeEnsemble, _ stages: [OutputStage] = []) -> Model {
    Model(
      format: .lightGBM, objective: "custom", body: .trees(ensemble, stages: stages),
      featureCount: ensemble.featureCount, featureNames: [], outputCount: ensemble.outputCount)
  }

  private static func isClose(_ found: Double, _ expected: Double, _ bound: Double = 1e-11) -> Bool {
    abs(found - expected) <= bound * max(1, abs(expected))
  }

  @Test(arguments: TreeKernelTests.instructionSets, 0..<8)
  func `contributions of trees are Shapley's values`(instructions: InstructionSet, index: Int) throws {
    let seed = UInt64(index) + 500
    var random = RandomEnsemble(seed: seed)
    random.featureCount = [1, 3, 5, 9][index % 4]
    random.treeCount = 4
    random.leavesMax = [3, 12, 40, 40][index % 4]
    random.outputCount = index % 3 == 2 ? 3 : 1
    random.hasVectorLeaves = index == 5
    random.rule = [.truncated, .notNegative, .exact][index % 3]
    var ensemble = random.make()
    ensemble.addCovers(using: &random.generator)
    let (features, outputs) = (ensemble.featureCount, ensemble.outputCount)
    let explainable = try ExplainableModel(Self.model(ensemble), instructions: instructions)
    var explainer = explainable.makeExplainer()
    let rowCount = 37
    let rows = ProbeRows(ensemble, rowCount: rowCount, seed: seed).values
    let oracle = BruteForceShapley(ensemble: ensemble)
    let expected = (0..<rowCount).map { row in
      (0..<outputs).flatMap {
        oracle.contributions(Array(rows[row * features..<(row + 1) * features]), output: $0)
      }
    }
    for batch in [1, 4, 18, 37] {
      for start in stride(from: 0, to: rowCount, by: batch) {
        let count = min(batch, rowCount - start)
        var found = [Double](repeating: .nan, count: count * explainable.width)
        explainer.explain(
          Array(rows[start * features..<(start + count) * features]), rowCount: count, into: &found)
        for row in 0..<count {
          let parts = Array(found[row * explainable.width..<(row + 1) * explainable.width])
          #expect(
            zip(parts, expected[start + row]).allSatisfy { Self.isClose($0, $1) },
            "seed \(seed), batch \(batch), row \(start + row): \(parts), expected \(expected[start + row])")
        }
      }
    }
  }

  @Test func `contributions of deep trees add up to the margin`() throws {
    var random = RandomEnsemble(seed: 77)
    random.featureCount = 300
    random.leavesMax = 4_000
    random.treeCount = 3
    random.outputCount = 2
    var ensemble = random.make()
    // A chain: as deep as a tree of so many leaves can be, each node about another feature.
    var nodes: [DecisionTree.Node] = []
    for depth in 0..<260 {
      nodes.append(
        .split(
          Split(feature: depth, test: .atMost(0), missingGoesLeft: true), left: 2 * depth + 1, right: 2 * depth + 2))
      nodes.append(.leaf(depth))
    }
    nodes.append(.leaf(260))
    ensemble.trees.append(
      DecisionTree(
        nodes: nodes, leafCount: 261, outputs: [LeafOutput(output: 1, values: (0...260).map { Double($0) })]))
    ensemble.addCovers(using: &random.generator)
    try ensemble.validate()
    let stages: [OutputStage] = [.divide(by: 4), .add([0.5, -0.25]), .sigmoid(scale: 1)]
    let explainable = try ExplainableModel(Self.model(ensemble, stages))
    let linear = ReferenceScorer(Self.model(ensemble, Array(stages.dropLast())))
    var explainer = explainable.makeExplainer()
    let rowCount = 40
    let rows = ProbeRows(ensemble, rowCount: rowCount, seed: 77).values
    var found = [Double](repeating: .nan, count: rowCount * explainable.width)
    explainer.explain(rows, rowCount: rowCount, into: &found)
    for row in 0..<rowCount {
      let margins = linear.score(Array(rows[row * 300..<(row + 1) * 300]))
      for output in 0..<2 {
        let start = row * explainable.width + output * 301
        let sum = found[start..<start + 301].reduce(0, +)
        #expect(Self.isClose(sum, margins[output], 1e-9), "row \(row): \(sum), margin \(margins[output])")
      }
    }
  }

  @Test func `quadrature is exact up to its degree`() {
    for count in [1, 2, 3, 8, 33, 150] {
      let points = GaussLegendre.points(count: count)
      for degree in [0, 1, count, 2 * count - 1] {
        var integral = 0.0
        for point in points {
          integral += point.weight * (0..<degree).reduce(1.0) { power, _ in power * point.at }
        }
        #expect(Self.isClose(integral * Double(degree + 1), 1, 1e-12), "\(count) points, degree \(degree)")
      }
    }
  }

  /// Trees of a format without covers, beside rows of the caller's: against Shapley's definition with the share of
  /// these rows that takes each branch, which brute force counts by itself.
  @Test(arguments: 0..<6) func `a background takes the place of covers`(index: Int) throws {
    let seed = UInt64(index) + 900
    var random = RandomEnsemble(seed: seed)
    random.featureCount = [1, 4, 6][index % 3]
    random.treeCount = 3
    random.leavesMax = [3, 20, 40][index % 3]
    random.outputCount = index % 2 + 1
    random.rule = .exact
    let ensemble = random.make()
    let (features, outputs) = (ensemble.featureCount, ensemble.outputCount)
    var model = Self.model(ensemble)
    model.format = .onnx
    let backgroundCount = 60
    let background = ProbeRows(ensemble, rowCount: backgroundCount, seed: seed + 1).values
    let explainable = try ExplainableModel(model, background: background)
    #expect(explainable.definition == .treesByBackground && explainable.backgroundRowCount == backgroundCount)
    var counted = ensemble
    for tree in counted.trees.indices {
      counted.trees[tree].covers = counted.trees[tree].nodes.indices.map { node in
        Double(
          (0..<backgroundCount).count { row in
            let values = Array(background[row * features..<(row + 1) * features])
            return Self.path(counted.trees[tree], values, counted.categoryRule).contains(node)
          })
      }
    }
    let oracle = BruteForceShapley(ensemble: counted)
    let rowCount = 9
    let rows = ProbeRows(ensemble, rowCount: rowCount, seed: seed).values
    var explainer = explainable.makeExplainer()
    var found = [Double](repeating: .nan, count: rowCount * explainable.width)
    explainer.explain(rows, rowCount: rowCount, into: &found)
    let scorer = ReferenceScorer(model)
    let means = (0..<outputs).map { output in
      (0..<backgroundCount).reduce(0.0) {
        $0 + scorer.score(Array(background[$1 * features..<($1 + 1) * features]))[output] / Double(backgroundCount)
      }
    }
    for row in 0..<rowCount {
      let values = Array(rows[row * features..<(row + 1) * features])
      let parts = Array(found[row * explainable.width..<(row + 1) * explainable.width])
      let expected = (0..<outputs).flatMap { oracle.contributions(values, output: $0) }
      #expect(zip(parts, expected).allSatisfy { Self.isClose($0, $1) }, "seed \(seed), row \(row)")
      let margins = scorer.score(values)
      for output in 0..<outputs {
        let run = parts[output * (features + 1)..<(output + 1) * (features + 1)]
        #expect(Self.isClose(run.reduce(0, +), margins[output], 1e-9), "seed \(seed), row \(row)")
        // Together with nothing known: the mean margin of the background.
        #expect(Self.isClose(run.last ?? .nan, means[output], 1e-9), "seed \(seed), row \(row)")
      }
    }
  }

  private static func path(_ tree: DecisionTree, _ row: [Float], _ rule: CategoryRule) -> Set<Int> {
    var (node, path) = (0, Set<Int>())
    while true {
      path.insert(node)
      guard case .split(let split, let left, let right) = tree.nodes[node] else { return path }
      node = split.goesLeft(row[split.feature], rule) ? left : right
    }
  }

  @Test func `a linear model is compared with the mean of a background`() throws {
    let text = #"{"model": "linear", "weights": [0.5, -1, 2], "intercept": 0.125}"#
    let explainable = try ExplainableModel(
      Model(Array(text.utf8), place: "linear.json"), background: [1, 2, 3, 3, 4, -1])
    #expect(explainable.definition == .linearByBackground)
    var explainer = explainable.makeExplainer()
    var found = [Double](repeating: 0, count: 8)
    explainer.explain([1, 2, 3, 2, 3, 1], rowCount: 2, into: &found)
    // The mean row is 2, 3, 1: its margin is 0.125 + 1 - 3 + 2.
    #expect(found == [-0.5, 1, 4, 0.125, 0, 0, 0, 0.125])
  }

  @Test func `trees without covers are refused with the way out`() throws {
    var random = RandomEnsemble(seed: 5)
    let model = Self.model(random.make())
    #expect { try ExplainableModel(model) } throws: { error in
      (error as? HeadraceError)?.code == "EXPLANATION_UNSUPPORTED"
    }
    var ensemble = random.make()
    ensemble.addCovers(using: &random.generator)
    for index in ensemble.trees.indices { ensemble.trees[index].covers[0] = -1 }
    #expect(throws: HeadraceError.self) { try ExplainableModel(Self.model(ensemble)) }
  }

  @Test func `contributions of a linear model are weight times value`() throws {
    let text = """
      {"model": "linear", "weights": [[0.5, -1, 2], [1, 0, 0.25]], "intercept": [0.125, 4], "link": "softmax"}
      """
    let explainable = try ExplainableModel(Model(Array(text.utf8), place: "linear.json"))
    #expect(explainable.width == 8)
    var explainer = explainable.makeExplainer()
    var found = [Double](repeating: 0, count: 16)
    explainer.explain([1, 2, 3, -1, 0, 0.5], rowCount: 2, into: &found)
    let expected: [Double] = [0.5, -2, 6, 0.125, 1, 0, 0.75, 4, -0.5, 0, 1, 0.125, -1, 0, 0.125, 4]
    #expect(found == expected)
  }

  @Test func `what a linear model does to its inputs itself belongs to the features`() throws {
    let layer = DenseLayer(inputCount: 3, outputCount: 1, weights: [2, -1, 4], bias: [0.5])
    var program = RowProgram(
      widths: [2, 2, 2, 3, 1, 1],
      steps: [
        .init(operation: .impute(values: [7, 8], replaced: .nan), inputs: [0], output: 1),
        .init(operation: .affine(scale: [0.5, 1], offset: [-1, 0], offsetFirst: true), inputs: [1], output: 2),
        .init(operation: .select([1, 0, 1]), inputs: [2], output: 3),
        .init(operation: .dense(layer), inputs: [3], output: 4),
        .init(operation: .unary(.sigmoid), inputs: [4], output: 5),
      ], result: 5)
    func model() -> Model {
      Model(
        format: .onnx, objective: "graph", body: .program(program), featureCount: 2, featureNames: [], outputCount: 1)
    }
    var explainer = try ExplainableModel(model()).makeExplainer()
    var found = [Double](repeating: 0, count: 3)
    explainer.explain([.nan, 3], rowCount: 1, into: &found)
    // The missing value counts as 7, which scales to 3; the second feature comes to the layer twice.
    let expected: [Double] = [-3, 18, 0.5]
    #expect(found == expected)

    program.steps[3] = .init(
      operation: .dense(
        DenseLayer(inputCount: 3, outputCount: 1, weights: [2, -1, 4], bias: [0], isRectified: true)), inputs: [3],
      output: 4)
    #expect(throws: HeadraceError.self) { try ExplainableModel(model()) }
  }
}
