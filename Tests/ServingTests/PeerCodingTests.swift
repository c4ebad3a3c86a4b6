import Columns
import Core
import Features
import OnlineStore
import Runtime
import Testing

@testable import Serving

/// What workers send one another, and how a list of keys is shared out among owners.
@Suite struct PeerCodingTests {
  private static func value(_ random: inout SplitMix64, isNested: Bool = false) -> Value {
    switch Int.random(in: 0..<(isNested ? 9 : 10), using: &random) {
    case 0: .null
    case 1: .boolean(Bool.random(using: &random))
    case 2: .integer(Int64(bitPattern: random.next()))
    // Every finite double, both zeros and infinities among them; NaN is unequal to itself.
    case 3: .double([0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1].randomElement(using: &random) ?? 0)
    case 4: .string(["", "a", "é\u{0}", "\u{1F980}"].randomElement(using: &random) ?? "")
    case 5: .bytes((0..<Int.random(in: 0..<9, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    case 6: .timestamp(Int64(bitPattern: random.next()))
    case 7: .date(Int64(bitPattern: random.next()))
    case 8:
      .decimal(
        unscaled: Int128(Int64(bitPattern: random.next())) &* Int128(Int64(bitPattern: random.next())),
        scale: Int.random(in: 0...38, using: &random))
    default: .list((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(&random, isNested: true) })
    }
  }

  private static func answer(_ random: inout SplitMix64) -> RowsAnswer {
    RowsAnswer(
      rows: (0..<Int.random(in: 0..<6, using: &random)).map { _ in
        PeerRow(
          moment: ReadMoment(
            atMilliseconds: Int64(bitPattern: random.next()),
            watermarkMilliseconds: Bool.random(using: &random) ? nil : Int64(bitPattern: random.next())),
          values: (0..<Int.random(in: 0..<5, using: &random)).map { _ in
            FeatureValue(
              value: value(&random),
              status: [.present, .nullValue, .notFound, .outsideMaxAge].randomElement(using: &random) ?? .present,
              eventTimeMilliseconds: Bool.random(using: &random) ? nil : Int64(bitPattern: random.next()),
              flags: FeatureFlags(rawValue: UInt8(truncatingIfNeeded: random.next() % 4)))
          })
      })
  }

  private static func request(_ random: inout SplitMix64) -> RowsRequest {
    var request = RowsRequest(
      topology: "t",
      time: [.now, .asOf(Int64(bitPattern: random.next())), .latest].randomElement(using: &random) ?? .now)
    for index in 0..<Int.random(in: 0..<4, using: &random) {
      request.offsets.append(
        RecordOffset(topic: "x", partition: Int32(index), offset: Int64(bitPattern: random.next())))
      request.views.append(.init(name: "v\(index)", fingerprint: "f", features: (0..<index).map { "f\($0)" }))
    }
    for _ in 0..<(request.views.isEmpty ? 0 : Int.random(in: 0..<20, using: &random)) {
      let key = (0..<Int.random(in: 0..<9, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      request.rows.append(.init(view: Int.random(in: request.views.indices, using: &random), key: key))
    }
    return request
  }

  @Test func `what is written is read, to the bit`() throws {
    var random = SplitMix64(seed: 1)
    for _ in 0..<2_000 {
      let (request, answer) = (Self.request(&random), Self.answer(&random))
      #expect(try RowsRequest(request.encoded.span) == request)
      #expect(try RowsAnswer(answer.encoded) == answer)
      #expect(try RowsAnswer(answer.encoded).encoded == answer.encoded)
    }
    let number = RowsAnswer(
      rows: [.init(moment: .init(atMilliseconds: 1, watermarkMilliseconds: nil), values: [.present(.double(.nan))])])
    #expect(try RowsAnswer(number.encoded).encoded == number.encoded)
  }

  @Test func `bytes that are cut or changed are refused, or are another message`() throws {
    var random = SplitMix64(seed: 2)
    for _ in 0..<30 {
      let (request, answer) = (Self.request(&random).encoded, Self.answer(&random).encoded)
      for end in 0..<request.count {
        #expect(throws: Problem.self) { try RowsRequest(Array(request[..<end]).span) }
      }
      for end in 0..<answer.count { #expect(throws: HeadraceError.self) { try RowsAnswer(Array(answer[..<end])) } }
      for _ in 0..<50 {
        var (broken, other) = (request, answer)
        broken[Int.random(in: broken.indices, using: &random)] = UInt8(truncatingIfNeeded: random.next())
        other[Int.random(in: other.indices, using: &random)] = UInt8(truncatingIfNeeded: random.next())
        _ = try? RowsRequest(broken.span)
        _ = try? RowsAnswer(other)
      }
    }
  }

  @Test func `more values than one answer may have are refused, however few bytes ask for them`() throws {
    func request(features: Int) -> RowsRequest {
      var request = RowsRequest(topology: "t", time: .now)
      request.views = [.init(name: "v", fingerprint: "f", features: Array(repeating: "f", count: features))]
      request.rows = (0..<RowsRequest.rowsMax).map { _ in RowsRequest.Row(view: 0, key: [1]) }
      return request
    }
    let (most, more) = (request(features: 200), request(features: 201))
    #expect(most.valueCount == PeerSplit.Limits().values)
    #expect(try RowsRequest(most.encoded.span) == most)
    let failure = #expect(throws: Problem.self) { try RowsRequest(more.encoded.span) }
    #expect(failure?.status == 422 && failure?.code == "TOO_MANY_VALUES")
  }

  /// Owner by owner, one row after the other.
  private static func naive(
    _ reads: [ForeignRead], _ limits: PeerSplit.Limits, _ owner: (Int32) -> RowOwner?
  ) -> [RowOwner: [[Int]]] {
    var found: [RowOwner: [[Int]]] = [:]
    for name in Set(reads.compactMap { owner($0.partition) }) {
      var calls: [[Int]] = [[]]
      for (position, read) in reads.enumerated() where owner(read.partition) == name {
        let next = (calls.last ?? []) + [position]
        let keyBytes = next.reduce(0) { $0 + reads[$1].key.bytes.count }
        let values = next.reduce(0) { $0 + reads[$1].features.count }
        let isFull = next.count > limits.rows || keyBytes > limits.keyBytes || values > limits.values
        if isFull, next.count > 1 { calls.append([position]) } else { calls[calls.count - 1] = next }
        _ = read
      }
      found[name] = calls
    }
    return found
  }

  @Test func `keys are shared out as one would by hand`() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<500 {
      let ownerCount = Int32.random(in: 1...4, using: &random)
      let owner = { (partition: Int32) -> RowOwner? in
        partition % 5 == 4
          ? nil : RowOwner(instance: "\(partition % ownerCount)", address: "h:\(partition % ownerCount)")
      }
      let limits = PeerSplit.Limits(
        rows: Int.random(in: 1...20, using: &random), keyBytes: Int.random(in: 1...60, using: &random),
        values: Int.random(in: 1...30, using: &random))
      let reads = (0..<Int.random(in: 0..<80, using: &random)).map { index in
        ForeignRead(
          view: 0, features: Array(0..<Int.random(in: 1...3, using: &random)),
          key: EntityKey(bytes: Array("k\(index)".utf8)), partition: Int32.random(in: 0..<12, using: &random))
      }
      let split = PeerSplit(reads, limits: limits, owner: owner)
      #expect(split.ownerless == reads.indices.filter { owner(reads[$0].partition) == nil })
      var found: [RowOwner: [[Int]]] = [:]
      for call in split.calls { found[call.owner, default: []].append(call.reads) }
      #expect(found == Self.naive(reads, limits, owner))
    }
  }
}
