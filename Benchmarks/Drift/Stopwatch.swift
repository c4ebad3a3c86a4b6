/// Wall time of some work, in seconds.
enum Stopwatch {
  /// The median after one run that does not count.
  static func median(runs: Int, _ work: () -> Int) -> Double {
    var checksum = work()
    let clock = ContinuousClock()
    let seconds = (0..<runs).map { _ in
      let duration = clock.measure { checksum &+= work() }
      return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
    // Keeps the work from being left out.
    precondition(checksum != .min)
    return seconds.sorted()[runs / 2]
  }
}
