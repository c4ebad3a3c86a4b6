internal import CKernels
internal import Core

/// The tables of `ckernels_explanation`: the edges of every tree in the order of a walk, with the shares of the cover
/// that go along them.
struct ExplainedTrees {
  private(set) var trees: [ckernels_explained_tree] = []
  private(set) var questions: [ckernels_question] = []
  private(set) var members: [Int32] = []
  private(set) var edges: [ckernels_explained_edge] = []
  private(set) var points: [ckernels_quadrature_point] = []
  private(set) var inverses: [Double] = []
  private(set) var leaves: [Double] = []
  /// Features that some tree asks for.
  private(set) var features: [Int] = []
  private(set) var depthMax = 1
  private(set) var pointCountMax = 1
  private(set) var edgeCountMax = 0
  private(set) var questionCountMax = 0

  private var columns: [Int: Int] = [:]
  private var firstPoints: [Int: Int] = [:]

  static let none = UInt32(CKERNELS_NONE)

  /// Walks that are under way; every edge knows its parent, so that paths need no copies.
  private struct Step {
    var node: Int
    /// Of this tree; nil at the root.
    var parent: Int?
    var goesLeft: Bool
  }

  /// What is known of an edge beside what the kernel reads.
  private struct Above {
    var parent: Int?
    /// Of all rows that reach the tree, those that come along here.
    var reach: Double
    var node: Int
    /// Different features on the path down to here.
    var featureCount: Int
  }

  /// - Returns: the mean of the tree: its leaves by their covers.
  mutating func append(
    _ tree: DecisionTree, values: [Double], divisor: Double
  ) throws(HeadraceError) -> Double {
    let (firstQuestion, firstEdge, firstLeaf) = (questions.count, edges.count, leaves.count)
    leaves += values.map { $0 / divisor }
    var above: [Above] = []
    var mean = 0.0
    var featureCountMax = 1
    var questionOfNode: [Int: Int] = [:]
    var open = [Step(node: 0, parent: nil, goesLeft: false)]
    while let step = open.popLast() {
      var edge: Int?
      if step.node != 0 || step.parent != nil {
        let from = step.parent.map { above[$0].node } ?? 0
        let reach = step.parent.map { above[$0].reach } ?? 1
        let made = edgeInto(step, from: from, tree, above, firstEdge, questionOfNode[from] ?? 0)
        edges.append(made)
        let isNew = made.previous == Self.none
        let features = (step.parent.map { above[$0].featureCount } ?? 0) + (isNew ? 1 : 0)
        featureCountMax = max(featureCountMax, features)
        above.append(
          Above(parent: step.parent, reach: reach * made.share, node: step.node, featureCount: features))
        edge = above.count - 1
        depthMax = max(depthMax, Int(made.depth))
      }
      switch tree.nodes[step.node] {
      case .leaf(let leaf):
        mean += leaves[firstLeaf + leaf] * (edge.map { above[$0].reach } ?? 1)
        if let edge { edges[firstEdge + edge].leaf = UInt32(leaf) }
      case .split(let split, let left, let right):
        questionOfNode[step.node] = questions.count - firstQuestion
        questions.append(question(split))
        open.append(Step(node: right, parent: edge, goesLeft: false))
        open.append(Step(node: left, parent: edge, goesLeft: true))
      }
    }
    try close(
      firstQuestion, firstEdge, firstLeaf, pointCount: (featureCountMax + 1) / 2)
    return mean
  }

  private func edgeInto(
    _ step: Step, from node: Int, _ tree: DecisionTree, _ above: [Above], _ firstEdge: Int, _ question: Int
  ) -> ckernels_explained_edge {
    var edge = ckernels_explained_edge()
    guard case .split(let split, _, _) = tree.nodes[node] else { return edge }
    edge.depth = 1 + (step.parent.map { edges[firstEdge + $0].depth } ?? 0)
    edge.question = UInt32(question)
    edge.goes_left = step.goesLeft
    edge.column = UInt32(columns[split.feature] ?? 0)
    edge.leaf = Self.none
    edge.previous = Self.none
    edge.previous_cover = 1
    // Nobody came this way in training: what is asked next counts half and half.
    edge.share = tree.covers[node] > 0 ? tree.covers[step.node] / tree.covers[node] : 0.5
    var place = step.parent
    while let index = place {
      let other = edges[firstEdge + index]
      if other.column == edge.column {
        edge.previous = UInt32(index)
        edge.previous_cover = other.cover
        break
      }
      place = above[index].parent
    }
    edge.cover = edge.previous_cover * edge.share
    return edge
  }

  private mutating func question(_ split: Split) -> ckernels_question {
    var question = ckernels_question()
    if let known = columns[split.feature] {
      question.column = UInt32(known)
    } else {
      question.column = UInt32(features.count)
      columns[split.feature] = features.count
      features.append(split.feature)
    }
    question.missing_goes_left = split.missingGoesLeft
    question.zero_is_missing = split.zeroIsMissing
    switch split.test {
    case .atMost(let threshold):
      question.kind = UInt32(CKERNELS_QUESTION_AT_MOST)
      question.value = threshold
    case .equals(let value):
      question.kind = UInt32(CKERNELS_QUESTION_EQUALS)
      question.value = value
    case .isPresent: question.kind = UInt32(CKERNELS_QUESTION_PRESENT)
    case .isMember(let set):
      question.kind = UInt32(CKERNELS_QUESTION_MEMBER)
      question.first_member = UInt32(truncatingIfNeeded: members.count)
      question.member_count = UInt32(set.members.count)
      members += set.members
    }
    return question
  }

  private mutating func close(
    _ firstQuestion: Int, _ firstEdge: Int, _ firstLeaf: Int, pointCount: Int
  ) throws(HeadraceError) {
    let firstPoint: Int
    if let known = firstPoints[pointCount] {
      firstPoint = known
    } else {
      firstPoint = points.count
      firstPoints[pointCount] = firstPoint
      points += GaussLegendre.points(count: pointCount).map { ckernels_quadrature_point(at: $0.at, weight: $0.weight) }
    }
    let firstInverse = inverses.count
    for edge in edges[firstEdge...] {
      for point in points[firstPoint..<firstPoint + pointCount] {
        inverses.append(1 / (edge.cover * (1 - point.at) + point.at))
      }
    }
    guard edges.count < Self.none, questions.count < Self.none, members.count < Self.none,
      inverses.count <= Self.inversesMax
    else { throw ModelFault.tooLarge("\(edges.count) edges of trees, and \(inverses.count) points, to explain") }
    trees.append(
      ckernels_explained_tree(
        first_question: UInt32(firstQuestion), question_count: UInt32(questions.count - firstQuestion),
        first_edge: UInt32(firstEdge), edge_count: UInt32(edges.count - firstEdge), point_count: UInt32(pointCount),
        first_point: UInt32(firstPoint), first_inverse: firstInverse, first_leaf: firstLeaf))
    pointCountMax = max(pointCountMax, pointCount)
    edgeCountMax = max(edgeCountMax, edges.count - firstEdge)
    questionCountMax = max(questionCountMax, questions.count - firstQuestion)
  }

  /// 2 GiB of doubles: many times what the largest models in use need.
  private static let inversesMax = 1 << 28
}
