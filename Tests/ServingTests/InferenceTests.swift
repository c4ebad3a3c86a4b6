import Columns
import Contracts
import Core
import Cost
import Features
import Inference
import Testing

@testable import Serving

@Suite(.serialized) struct InferenceTests {
  private static let compiled: Result<CompiledModel, HeadraceError> = Result { () throws(HeadraceError) in
    let text = #"{"model":"linear","weights":[1,10,100,1000],"intercept":0}"#
    return try CompiledModel(Model(Array(text.utf8), place: "linear.json"))
  }

  /// A linear model of four features, which can be looked up in the service of the test's catalog.
  private static func models() throws -> ServedModels {
    let model = ServedModel(
      name: "m", version: "3", compiled: try compiled.get(),
      lookup: FeatureLookup(service: 0, of: TestCatalog.catalog))
    return ServedModels([
      "m": .init(current: model, versions: ["3": model, "champion": model], versionNames: ["3"])
    ])
  }

  private static func request(_ body: [UInt8], path: String = "/v2/models/m/infer", headers: String = "") -> [UInt8] {
    Array("POST \(path) HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: \(body.count)\r\n\r\n".utf8) + body
  }

  private static func tensor(_ name: String, _ type: String, _ shape: String, _ data: String) -> String {
    #"{"name":"\#(name)","datatype":"\#(type)","shape":\#(shape),"data":\#(data)}"#
  }

  private static func fill(_ engine: FakeEngine) {
    engine.put(
      view: 0, [.integer(7)],
      [.present(.double(1.5)), .present(.double(2)), .present(.integer(3)), .present(.string("x")), .present(.null)])
  }

  @Test func `the short way and the long way give the same bytes`() async throws {
    let two = Self.tensor("x", "FP32", "[2,4]", "[1,2,3,4,[0.5,null,1e-3,-7.25]]")
    let bodies = [
      #"{"id":"q","inputs":[\#(two)]}"#, #"{"inputs":[\#(two)],"outputs":[{"name":"y"}]}"#,
      #"{"inputs":[\#(two)],"parameters":{"binary_data_output":true}}"#,
      #"{"inputs":[\#(Self.tensor("x", "INT64", "[4]", "[1,2,3,4]"))]}"#, "{", #"{"inputs":[]}"#,
      #"{"inputs":[\#(Self.tensor("x", "FP32", "[1,3]", "[1,2,3]"))]}"#,
      #"{"inputs":[\#(Self.tensor("user_id", "INT64", "[1]", "[7]"))"#
        + #",\#(Self.tensor("amount", "FP64", "[1]", "[3]"))]}"#,
    ]
    try await withServer { server, engine in
      Self.fill(engine)
      server.replace(models: try Self.models())
      for body in bodies {
        for path in ["/v2/models/m/infer", "/v2/models/m/versions/champion/infer", "/v2/models/n/infer"] {
          let (short, long) = (try await HTTPSocket(port: server.port), try await HTTPSocket(port: server.port))
          try await short.send(Self.request(Array(body.utf8), path: path))
          // An address with a query is the same address, and takes the long way.
          try await long.send(Self.request(Array(body.utf8), path: "\(path)?"))
          #expect(try await short.readRaw() == long.readRaw(), "\(path) \(body)")
        }
      }
    }
  }

  @Test func `features are looked up by key`() async throws {
    try await withServer { server, engine in
      Self.fill(engine)
      server.replace(models: try Self.models())
      let socket = try await HTTPSocket(port: server.port)
      let amounts = Self.tensor("amount", "FP64", "[2,1]", "[[3],[4.5]]")
      let keys = [
        Self.tensor("user_id", "INT64", "[2]", "[7,8]"), Self.tensor("user_id", "BYTES", "[2]", #"["7","8"]"#),
      ]
      for key in keys {
        try await socket.send(Self.request(Array(#"{"inputs":[\#(key),\#(amounts)]}"#.utf8)))
        let answer = try await socket.readRaw()
        // 1.5 + 10 * 3 + 100 * 3 + 1,000 * (3 / 1.5); of a user that nobody knows a feature is missing.
        #expect(answer.contains(#""shape":[2],"data":[2331.5,null]}"#), "\(answer)")
      }
      let binary =
        #"{"inputs":[{"name":"user_id","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}},"#
        + Self.tensor("amount", "FP64", "[1]", "[3]") + "]}"
      try await socket.send(
        Self.request(
          Array(binary.utf8) + [7, 0, 0, 0, 0, 0, 0, 0],
          headers: "Inference-Header-Content-Length: \(binary.utf8.count)\r\n"))
      #expect(try await socket.readRaw().contains(#""data":[2331.5]"#))
      try await socket.send(Self.request(Array(#"{"inputs":[\#(keys[0])]}"#.utf8)))
      let missing = try await socket.readRaw()
      #expect(missing.contains("404") && missing.contains("amount"), "\(missing)")
    }
  }

  @Test func `a request whose time is over is not scored`() async throws {
    try await withServer({ $0.admission.deadlineMilliseconds = -1 }) { server, engine in
      Self.fill(engine)
      server.replace(models: try Self.models())
      let socket = try await HTTPSocket(port: server.port)
      let inputs = [
        Self.tensor("x", "FP32", "[1,4]", "[1,2,3,4]"),
        Self.tensor("user_id", "INT64", "[1]", "[7]") + "," + Self.tensor("amount", "FP64", "[1]", "[3]"),
      ]
      for input in inputs {
        try await socket.send(Self.request(Array(#"{"inputs":[\#(input)]}"#.utf8)))
        let answer = try await socket.read()
        #expect(answer.status == 504 && answer.body.contains("took longer than it may"), "\(answer)")
      }
    }
  }

  @Test(arguments: [5, 6] as [UInt64]) func `numbers are the nearest doubles`(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var texts = [
      "0", "-0", "1e400", "-1e400", "1e-400", "0.1", "123456789012345678", "1E+2", "00".dropFirst().description,
    ]
    for _ in 0..<3_000 {
      let number = Double(bitPattern: random.next())
      if number.isFinite { texts.append("\(number)") }
      texts.append("\(Int64.random(in: -999_999...999_999, using: &random)).\(random.next() % 1_000_000)")
    }
    for text in texts {
      let bytes = Array(text.utf8)
      var scanner = JSONScanner(bytes.span, depthMax: 2)
      let found = try scanner.value().double(in: bytes.span)
      #expect(found?.bitPattern == Double(text)?.bitPattern, "seed \(seed): \(text)")
    }
  }

  @Test(arguments: [31, 32] as [UInt64]) func `mutated requests are read or refused, never trapped on`(
    _ seed: UInt64
  ) throws {
    var random = SplitMix64(seed: seed)
    let json =
      #"{"inputs":[{"name":"user_id","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":10}},"#
      + Self.tensor("amount", "FP32", "[2]", "[1,2]") + "]}"
    let tensor: [UInt8] = [1, 0, 0, 0, 0x37, 1, 0, 0, 0, 0x38]
    let lookup = try #require(FeatureLookup(service: 0, of: TestCatalog.catalog))
    let offer = Offer(TestCatalog.catalog, FakeEngine(), nil, .none, .init(), .system, MeterTable())
    var request = InferenceRequest()
    for _ in 0..<4_000 {
      var body = Array(json.utf8) + tensor
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      do throws(Problem) {
        try request.parse(body.span, jsonBytes: json.utf8.count, depthMax: 8)
        try? request.readMatrix(body.span, featureCount: 2)
        try EntityInputs.read(
          &request, lookup, in: body.span, offer: offer, source: offer.features, limits: .init(),
          isOver: { false })
        #expect(request.values.count == request.rowCount * 4)
      } catch {
        #expect((400..<500).contains(error.status), "seed \(seed): \(error)")
      }
    }
  }
}
