/// A pattern as a deterministic automaton (subset construction), with bytes that are alike in one class.
struct PatternAutomaton: Sendable {
  /// State 0 matches nothing any more; state 1 is where a text begins.
  private let next: [UInt16]
  private let isAccepting: [Bool]
  private let classOf: [UInt8]
  private let classCount: Int

  static let statesMax = 4_096
  /// Work is bounded as well: sets of states that were looked at.
  private static let stepsMax = 4_000_000

  init(_ graph: PatternGraph) throws(Pattern.Failure) {
    var construction = SubsetConstruction(graph)
    try construction.run()
    next = construction.next
    isAccepting = construction.isAccepting
    classOf = construction.classes.classOf
    classCount = construction.classes.count
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    var state = 1
    for index in text.indices {
      state = Int(next[state * classCount + Int(classOf[Int(text[index])])])
      if state == 0 { return false }
    }
    return isAccepting[state]
  }

  fileprivate static let tooLarge = Pattern.Failure(
    message: "the pattern needs too many states: shorten repetitions such as .*a.{20}, or anchor them", offset: 0)

  fileprivate static var workLimit: Int { stepsMax }
}

/// Bytes that no edge tells apart.
private struct ByteClasses {
  private(set) var classOf = [UInt8](repeating: 0, count: 256)
  private(set) var count = 1

  init(_ graph: PatternGraph) {
    var isBorder = [Bool](repeating: false, count: 257)
    for case .byte(let range, _) in graph.edges.joined() {
      isBorder[Int(range.lowerBound)] = true
      isBorder[Int(range.upperBound) + 1] = true
    }
    for byte in 1..<256 {
      if isBorder[byte] { count += 1 }
      classOf[byte] = UInt8(count - 1)
    }
  }
}

private struct SubsetConstruction {
  let graph: PatternGraph
  let classes: ByteClasses
  /// Two states to begin with: the dead one, whose row stays 0, and the first.
  var next: [UInt16] = []
  var isAccepting: [Bool] = []
  private var states: [[Int]: Int] = [[]: 0]
  private var sets: [[Int]] = [[]]
  private var stepsLeft = PatternAutomaton.workLimit

  init(_ graph: PatternGraph) {
    self.graph = graph
    classes = ByteClasses(graph)
  }

  mutating func run() throws(Pattern.Failure) {
    next = [UInt16](repeating: 0, count: classes.count)
    isAccepting = [false]
    let first = try closure([graph.start], isStart: true, isEnd: false)
    // The first set is its own state even if a later one equals it: ^ is passed here only.
    sets.append(first)
    isAccepting.append(try closure([graph.start], isStart: true, isEnd: true).contains(graph.accepting))
    next += [UInt16](repeating: 0, count: classes.count)
    var state = 1
    while state < sets.count {
      for (byteClass, target) in try targets(of: sets[state]).enumerated() where !target.isEmpty {
        next[state * classes.count + byteClass] = UInt16(try number(of: target))
      }
      state += 1
    }
  }

  /// For each class of bytes what it leads to.
  private mutating func targets(of set: [Int]) throws(Pattern.Failure) -> [[Int]] {
    var targets = [[Int]](repeating: [], count: classes.count)
    for state in set {
      for case .byte(let range, let target) in graph.edges[state] {
        for byteClass in classes.classOf[Int(range.lowerBound)]...classes.classOf[Int(range.upperBound)] {
          try spend(1)
          targets[Int(byteClass)].append(target)
        }
      }
    }
    return targets
  }

  private mutating func number(of target: [Int]) throws(Pattern.Failure) -> Int {
    let set = try closure(target, isStart: false, isEnd: false)
    if let known = states[set] { return known }
    guard sets.count < PatternAutomaton.statesMax else { throw PatternAutomaton.tooLarge }
    states[set] = sets.count
    sets.append(set)
    isAccepting.append(try closure(set, isStart: false, isEnd: true).contains(graph.accepting))
    next += [UInt16](repeating: 0, count: classes.count)
    return sets.count - 1
  }

  /// Everything that is reached without a byte, in order.
  private mutating func closure(_ from: [Int], isStart: Bool, isEnd: Bool) throws(Pattern.Failure) -> [Int] {
    var reached = Set(from)
    var waiting = Array(reached)
    while let state = waiting.popLast() {
      try spend(1 + graph.edges[state].count)
      for edge in graph.edges[state] {
        let target: Int
        switch edge {
        case .free(let to): target = to
        case .atStart(let to) where isStart: target = to
        case .atEnd(let to) where isEnd: target = to
        default: continue
        }
        if reached.insert(target).inserted { waiting.append(target) }
      }
    }
    return reached.sorted()
  }

  private mutating func spend(_ steps: Int) throws(Pattern.Failure) {
    stepsLeft -= steps
    guard stepsLeft > 0 else { throw PatternAutomaton.tooLarge }
  }
}
