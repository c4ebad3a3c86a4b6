import Columns
import Core
import Features
import NIOCore
import OnlineStore
import Runtime
import Testing

@testable import Serving

/// Rows of keys that other workers have: asked for, put together, and never asked for twice.
@Suite(.serialized) struct PeerTests {
  private static let userCount: Int64 = 300

  /// Users with every kind of value; every seventh has no row.
  private static func fill(_ table: FakeEngine, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for user in 0..<userCount where user % 7 != 3 {
      table.put(
        view: 0, [.integer(user)],
        [
          .present(.double(Double(bitPattern: random.next() & 0x7fef_ffff_ffff_ffff)), at: user * 1_000),
          FeatureValue(value: .null, status: .nullValue, eventTimeMilliseconds: user),
          .present(.integer(Int64(bitPattern: random.next())), at: user),
          FeatureValue(value: .null, status: .outsideMaxAge, eventTimeMilliseconds: 7),
          .present(.list([.string("a\"\(user)"), .string("é")]), at: 1),
        ])
      table.put(view: 2, [.string("o\(user)")], [.present(.integer(user), at: user)])
    }
    table.set { $0.watermark = 1_699_999_999_000 }
  }

  /// What one process says that has everything.
  private static func expected(_ table: FakeEngine, _ body: String) -> String {
    FeatureCall(engine: table).answer(body).body
  }

  private static func request(_ random: inout SplitMix64) -> String {
    let count = Int.random(in: 1...90, using: &random)
    let users = (0..<count).map { _ in Int64.random(in: 0..<userCount, using: &random) }
    let ids = users.map(String.init).joined(separator: ",")
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return #"{"features":["user_stats:*"],"entities":{"user_id":[\#(ids)]}}"#
    case 1:
      let amounts = users.map { "\(Double($0) / 3)" }.joined(separator: ",")
      return #"{"feature_service":"user_svc","entities":{"user_id":[\#(ids)],"amount":[\#(amounts)]}}"#
    case 2:
      let origins = users.map { "\"o\($0)\"" }.joined(separator: ",")
      let features = #"["user_stats:f0","origin_stats:flights_1h"]"#
      return #"{"features":\#(features),"entities":{"user_id":[\#(ids)],"origin":[\#(origins)]}}"#
    default: return #"{"features":["user_stats:clicks_1h"],"entities":{"user_id":[\#(ids)]},"as_of":1700000000000}"#
    }
  }

  /// Why rows are not given; nil when they are.
  private static func refusal(of body: ByteBuffer, _ server: FeatureServer, _ deadline: NIODeadline) async -> Problem? {
    do throws(Problem) {
      _ = try await server.rows(body, deadline: deadline)
      return nil
    } catch {
      return error
    }
  }

  @Test func `any worker answers for any keys as one that has them all`() async throws {
    try await PeerCluster.with { cluster in
      Self.fill(cluster.table, seed: 1)
      var random = SplitMix64(seed: 2)
      for round in 0..<60 {
        let body = Self.request(&random)
        let socket = try await HTTPSocket(port: cluster.servers[round % 3].port)
        let answer = try await socket.post("/get-online-features", body)
        #expect(answer.status == 200 && answer.body == Self.expected(cluster.table, body), "\(body)\n\(answer.body)")
      }
      for server in cluster.servers {
        let counters = try #require(server.peers?.counters)
        #expect(counters.answered.value > 0 && counters.rows.value > counters.answered.value)
        #expect(counters.moved.value == 0 && counters.unreachable.value == 0 && counters.failed.value == 0)
      }
      let metrics = try await HTTPSocket(port: cluster.servers[0].port).get("/metrics").body
      #expect(metrics.contains("headrace_forwarded_requests_total{outcome=\"answered\"}"))
    }
  }

  @Test func `one request goes to each owner, whatever is asked for`() async throws {
    try await PeerCluster.with { cluster in
      Self.fill(cluster.table, seed: 3)
      let ids = (0..<Self.userCount).map(String.init).joined(separator: ",")
      let body = #"{"features":["user_stats:*"],"entities":{"user_id":[\#(ids)]}}"#
      let answer = try await HTTPSocket(port: cluster.servers[1].port).post("/get-online-features", body)
      #expect(answer.body == Self.expected(cluster.table, body))
      #expect(cluster.servers[1].peers?.counters.answered.value == 2)
    }
  }

  @Test func `a task that moves is looked for again`() async throws {
    try await PeerCluster.with({ _, peering in peering.backoffMilliseconds = 40 }) { cluster in
      Self.fill(cluster.table, seed: 4)
      // The third server has everything, and nobody has told yet.
      cluster.sources[2].own([0, 1, 2, 3, 4, 5])
      cluster.sources[1].own([])
      async let told: Void = {
        try await Task.sleep(for: .milliseconds(60))
        for partition in PeerCluster.shard(1) { cluster.owners.set(partition, cluster.owner(2)) }
      }()
      let ids = (0..<20).map(String.init).joined(separator: ",")
      let body = #"{"features":["user_stats:*"],"entities":{"user_id":[\#(ids)]}}"#
      let answer = try await HTTPSocket(port: cluster.servers[0].port).post("/get-online-features", body)
      try await told
      #expect(answer.status == 200 && answer.body == Self.expected(cluster.table, body))
      #expect(try #require(cluster.servers[0].peers).counters.moved.value > 0)
    }
  }

  @Test func `what nobody has is not asked for in circles`() async throws {
    try await PeerCluster.with { cluster in
      for source in cluster.sources { source.own([]) }
      // The first believes in the second, the second in the third, the third in the first.
      for partition in Int32(0)..<6 { cluster.owners.set(partition, cluster.owner(1)) }
      let body = #"{"features":["user_stats:f0"],"entities":{"user_id":[7]}}"#
      let answer = try await HTTPSocket(port: cluster.servers[0].port).post("/get-online-features", body)
      #expect(answer.status == 503 && answer.headers["retry-after"] == "1")
      #expect(answer.body.contains("tasks are moving between workers"), "\(answer.body)")
      #expect(cluster.servers[0].peers?.counters.moved.value == 5)
      #expect(cluster.servers[1].peers?.counters.moved.value == 0)
    }
  }

  @Test func `an owner that does not answer is named, and the others' keys are answered`() async throws {
    try await PeerCluster.with { cluster in
      Self.fill(cluster.table, seed: 5)
      let gone = RowOwner(instance: "dead", address: "127.0.0.1:1")
      for partition in PeerCluster.shard(2) { cluster.owners.set(partition, gone) }
      let users = (0..<Self.userCount).filter { user in
        EntityKey.encode([.integer(user)]).map { !PeerCluster.shard(2).contains(ShardSource.partition($0)) } ?? false
      }
      let socket = try await HTTPSocket(port: cluster.servers[0].port)
      let fine =
        #"{"features":["user_stats:f0"],"entities":{"user_id":[\#(users.map(String.init).joined(separator: ","))]}}"#
      #expect(try await socket.post("/get-online-features", fine).body == Self.expected(cluster.table, fine))
      let ids = (0..<40).map(String.init).joined(separator: ",")
      let all = #"{"features":["user_stats:f0"],"entities":{"user_id":[\#(ids)]}}"#
      let answer = try await socket.post("/get-online-features", all)
      #expect(answer.status == 503 && answer.body.contains("127.0.0.1:1 (instance dead)"), "\(answer.body)")
      // Another one takes its tasks over.
      cluster.sources[0].own([0, 1, 4, 5])
      for partition in PeerCluster.shard(2) { cluster.owners.set(partition, cluster.owner(0)) }
      #expect(try await socket.post("/get-online-features", all).body == Self.expected(cluster.table, all))
    }
  }

  @Test func `callers' tokens go along`() async throws {
    let token = "hr_secret"
    let list = try AccessList(
      yaml: """
        reading: token
        principals: [{name: app, token_sha256: \(AccessToken.hash(token)), roles: [viewer]}]
        """, file: "access.yaml")
    try await PeerCluster.with({ configuration, _ in configuration.access = { list } }) { cluster in
      Self.fill(cluster.table, seed: 6)
      let ids = (0..<40).map(String.init).joined(separator: ",")
      let body = #"{"features":["user_stats:*"],"entities":{"user_id":[\#(ids)]}}"#
      let socket = try await HTTPSocket(port: cluster.servers[0].port)
      #expect(try await socket.post("/get-online-features", body).status == 401)
      #expect(try await socket.post("/api/rows", "").status == 401)
      let head = "POST /get-online-features HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
      try await socket.send("\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
      let answer = try await socket.read()
      #expect(answer.status == 200 && answer.body == Self.expected(cluster.table, body), "\(answer.body)")
    }
  }

  @Test func `a record is waited for where its task is`() async throws {
    try await PeerCluster.with { cluster in
      Self.fill(cluster.table, seed: 7)
      let body =
        #"{"features":["user_stats:f0"],"entities":{"user_id":[1]},"min_offset":["users:0:5","users:4:9"]}"#
      let answer = try await HTTPSocket(port: cluster.servers[0].port).post("/get-online-features", body)
      #expect(answer.status == 200, "\(answer.body)")
      #expect(cluster.sources[0].waits == [[RecordOffset(topic: "users", partition: 0, offset: 5)]])
      #expect(cluster.sources[1].waits.isEmpty)
      #expect(cluster.sources[2].waits == [[RecordOffset(topic: "users", partition: 4, offset: 9)]])
    }
  }

  @Test func `an owner has said that a record is not applied before its asker gives up`() async throws {
    try await PeerCluster.with({ serving, _ in serving.admission.deadlineMilliseconds = 1_000 }) { cluster in
      cluster.sources[2].applyNothing()
      let body = #"{"features":["user_stats:f0"],"entities":{"user_id":[1]},"min_offset":["users:4:9"]}"#
      let answer = try await HTTPSocket(port: cluster.servers[0].port).post("/get-online-features", body)
      #expect(answer.status == 503 && answer.body.contains("was not applied within wait_ms"), "\(answer.body)")
      #expect(cluster.servers[0].peers?.counters.unreachable.value == 0)
    }
  }

  @Test func `a record whose task moves is waited for where it has come to`() async throws {
    try await PeerCluster.with { cluster in
      Self.fill(cluster.table, seed: 8)
      // The second server has the third one's tasks, and nobody has told yet.
      cluster.sources[2].own([])
      cluster.sources[1].own([2, 3, 4, 5])
      async let told: Void = {
        try await Task.sleep(for: .milliseconds(60))
        for partition in PeerCluster.shard(2) { cluster.owners.set(partition, cluster.owner(1)) }
      }()
      let body = #"{"features":["user_stats:f0"],"entities":{"user_id":[1]},"min_offset":["users:4:9"]}"#
      let answer = try await HTTPSocket(port: cluster.servers[0].port).post("/get-online-features", body)
      try await told
      #expect(answer.status == 200, "\(answer.body)")
      #expect(cluster.sources[1].waits == [[RecordOffset(topic: "users", partition: 4, offset: 9)]])
      #expect(try #require(cluster.servers[0].peers).counters.moved.value > 0)
    }
  }

  @Test func `a worker's own token goes to others, a caller's only where it has none`() async {
    let cases: [(own: String?, caller: String?, sent: String?)] = [
      ("worker", "Bearer approver", "Bearer worker"), ("worker", nil, "Bearer worker"),
      (nil, "Bearer approver", "Bearer approver"), (nil, nil, nil),
    ]
    for (own, caller, sent) in cases {
      var configuration = PeerReads.Configuration()
      configuration.token = own
      let peers = PeerReads(OwnerTable.Seen(table: OwnerTable(), instance: "i0"), configuration)
      let errand = PeerReads.Errand(
        catalog: TestCatalog.catalog, time: .now, authorization: caller, deadline: NIODeadline.now())
      #expect(peers.authorization(for: errand) == sent)
      await peers.close()
    }
  }

  @Test func `a wide row is read no longer than the deadline, and names no feature twice`() async throws {
    try await PeerCluster.with { cluster in
      let server = cluster.servers[0]
      let keys = (Int64(0)..<300).compactMap { EntityKey.encode([.integer($0)]) }
        .filter { PeerCluster.shard(0).contains(ShardSource.partition($0)) }
      var request = RowsRequest(topology: "bench", time: .now)
      request.views = [
        .init(name: "user_stats", fingerprint: "", features: ["f0", "f1", "clicks_1h", "city", "last_cities"])
      ]
      request.rows = keys.prefix(60).map { RowsRequest.Row(view: 0, key: $0.bytes) }
      let body = ByteBuffer(bytes: request.encoded)
      let good = try await server.rows(body, deadline: NIODeadline.now() + .seconds(5))
      #expect(good.status == 200)
      let past = NIODeadline.now() - .seconds(1)
      let late = await Self.refusal(of: body, server, past)
      #expect(late?.status == 504)
      request.views[0].features = Array(repeating: "f0", count: 6)
      let twice = ByteBuffer(bytes: request.encoded)
      let refused = await Self.refusal(of: twice, server, NIODeadline.now() + .seconds(5))
      #expect(refused?.status == 422 && refused?.code == "TOO_MANY_FEATURES")
    }
  }

  @Test func `an owner with another plan, or another topology, gives nothing`() async throws {
    try await PeerCluster.with { cluster in
      let server = cluster.servers[0]
      let key = EntityKey.encode([.integer(1)])?.bytes ?? []
      var request = RowsRequest(topology: "bench", time: .now)
      request.views = [RowsRequest.View(name: "user_stats", fingerprint: "other", features: ["f0"])]
      request.rows = [RowsRequest.Row(view: 0, key: key)]
      let deadline = NIODeadline.now() + .seconds(5)
      for (topology, fingerprint, feature, status) in [
        ("bench", "other", "f0", 503), ("bench", "", "f99", 503), ("else", "", "f0", 421),
      ] {
        request.topology = topology
        request.views[0].fingerprint = fingerprint
        request.views[0].features = [feature]
        let body = ByteBuffer(bytes: request.encoded)
        let failure = await Self.refusal(of: body, server, deadline)
        #expect(failure?.status == status)
      }
    }
  }
}
