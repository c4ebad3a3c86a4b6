internal import Core

/// Events of one partition that broke their contract, put into the windows of the predictions behind them.
///
/// A dead letter says where its event was and not when: it belongs to the window of the next event that has a
/// prediction. Both are in the log in the order of the events, so this is a function of the partition alone, however
/// the two topics are read; until a window is over both have to be there.
struct RefusedEvents: Sendable, Equatable {
  /// Events one behind the other that one producer sent.
  struct Letters: Sendable, Equatable {
    var first: Int64
    var last: Int64
    /// A place in `SegmentNames`; `SegmentNames.other` where nobody said so.
    var producer: UInt32

    var count: Int { Int(clamping: last &- first &+ 1) }
  }

  /// Events up to `last` whose predictions are in one window.
  private struct Run: Sendable, Equatable {
    var last: Int64
    var window: Int64
  }

  /// More than so many pieces are forgotten, the oldest first: of a stream without any prediction.
  private static let lettersMaximum = 1 << 18

  private var letters: [Letters] = []
  private var runs: [Run] = []
  /// The newest event with a prediction.
  private var newest: Int64?

  init() {}

  /// A dead letter; each comes once, those of a partition in the order of their events.
  mutating func add(offset: Int64, producer: UInt32) {
    if let last = letters.last {
      // Told again after a restart.
      guard offset > last.last else { return }
      if last.producer == producer, last.last &+ 1 == offset {
        letters[letters.count - 1].last = offset
        return
      }
    }
    letters.append(Letters(first: offset, last: offset, producer: producer))
    if letters.count > Self.lettersMaximum { letters.removeFirst(letters.count / 2) }
  }

  /// A prediction of an event.
  ///
  /// - Returns: how many events were read for it: its own and those in front of it that have none.
  mutating func note(offset: Int64, window: Int64) -> Int {
    let read = newest.map { Int(clamping: offset.subtractingClamped($0)) } ?? 1
    guard read > 0 else { return 0 }
    newest = offset
    if let last = runs.last, last.window == window {
      runs[runs.count - 1].last = offset
    } else {
      runs.append(Run(last: offset, window: window))
    }
    return read
  }

  /// Takes what belongs to a window that is over; of older ones nothing is left.
  ///
  /// - Returns: refused events by producer.
  mutating func take(window: Int64) -> [UInt32: Int] {
    var found: [UInt32: Int] = [:]
    var kept: [Letters] = []
    var run = 0
    for letter in letters {
      // No event with a prediction lies inside of a piece: its events are one behind the other.
      while run < runs.count, runs[run].last < letter.first { run += 1 }
      if run == runs.count || runs[run].window > window {
        kept.append(letter)
      } else if runs[run].window == window {
        found[letter.producer, default: 0] += letter.count
      }
    }
    letters = kept
    runs.removeAll { $0.window <= window }
    return found
  }

  func write(to writer: inout ByteWriter) {
    writer.number(newest == nil ? 0 as UInt8 : 1)
    writer.number(newest ?? 0)
    writer.number(UInt32(clamping: letters.count))
    for letter in letters {
      writer.number(letter.first)
      writer.number(letter.last)
      writer.number(letter.producer)
    }
    writer.number(UInt32(clamping: runs.count))
    for run in runs {
      writer.number(run.last)
      writer.number(run.window)
    }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    let isThere = try reader.flag()
    let offset: Int64 = try reader.number()
    newest = isThere ? offset : nil
    for _ in 0..<(try reader.elements(ofSize: 20)) {
      let (first, last): (Int64, Int64) = (try reader.number(), try reader.number())
      guard first <= last else { throw reader.broken("offsets") }
      letters.append(Letters(first: first, last: last, producer: try reader.number()))
    }
    for _ in 0..<(try reader.elements(ofSize: 16)) {
      runs.append(Run(last: try reader.number(), window: try reader.number()))
    }
  }
}
