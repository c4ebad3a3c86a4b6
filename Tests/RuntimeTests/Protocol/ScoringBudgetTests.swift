import Core
import Synchronization
import Testing

@testable import Runtime

/// A local version that takes too long for a batch.
@Suite struct ScoringBudgetTests {
  private final class Time: Sendable {
    let milliseconds = Mutex<Int64>(1_000)

    var clock: WallClock { WallClock { self.milliseconds.withLock { $0 } } }
    func pass(_ added: Int64) { milliseconds.withLock { $0 += added } }
  }

  @Test func `the batch that overran counts, the next ones go elsewhere until one tries again`() {
    let time = Time()
    let budget = ScoringBudget(batchMilliseconds: 20, hasFallback: true, clock: time.clock)
    #expect(budget.permits())
    budget.note(nanoseconds: 20_000_000)
    #expect(budget.permits() && budget.takeTrouble() == nil)
    budget.note(nanoseconds: 20_000_001)
    #expect(!budget.permits())
    let trouble = budget.takeTrouble()
    #expect(trouble?.overruns == 1 && trouble?.isOpen == true && budget.takeTrouble() == nil)
    time.pass(999)
    #expect(!budget.permits())
    time.pass(1)
    // One batch tries it, and nobody else meanwhile.
    #expect(budget.permits() && !budget.permits())
    budget.note(nanoseconds: 50_000_000)
    time.pass(1_999)
    #expect(!budget.permits(), "the pause doubles")
    time.pass(1)
    #expect(budget.permits())
    budget.note(nanoseconds: 1)
    #expect(budget.permits() && budget.permits() && !budget.figures.isOpen)
    #expect(budget.figures.overruns == 2 && budget.figures.longestMilliseconds == 50)
  }

  @Test func `without a fallback it is only told`() {
    let budget = ScoringBudget(batchMilliseconds: 1, hasFallback: false)
    for _ in 0..<3 {
      #expect(budget.permits())
      budget.note(nanoseconds: 2_000_000)
    }
    #expect(budget.figures == .init(overruns: 3, longestMilliseconds: 2, isOpen: false))
    #expect(budget.takeTrouble()?.isOpen == false && budget.takeTrouble() == nil)
  }
}
