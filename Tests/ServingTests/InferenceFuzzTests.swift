import Columns
import Core
import Inference
import NIOCore
import Testing

@testable import Serving

/// Requests of the Open Inference Protocol, their binary tensors, and flat records: changed at random.
@Suite struct InferenceFuzzTests {
  private static let json: [String] = [
    #"{"id":"q","inputs":[{"name":"x","datatype":"FP32","shape":[2,4],"data":[1,2,3,4,[0.5,null,1e-3,-7.25]]}]}"#,
    #"{"inputs":[{"name":"x","shape":[4],"datatype":"BOOL","data":[true,false,1,0]}],"parameters":{"explain":true}}"#,
    #"{"a":1,"b":2.5,"c":null,"d":true}"#,
  ]

  private static func binary(_ type: String, _ size: Int) -> (body: [UInt8], jsonBytes: Int) {
    let text =
      #"{"inputs":[{"name":"x","datatype":"\#(type)","shape":[1,4],"parameters":{"binary_data_size":\#(4 * size)}}],"#
      + #""parameters":{"binary_data_output":true}}"#
    return (Array(text.utf8) + (0..<4 * size).map { UInt8(truncatingIfNeeded: $0 &* 37) }, text.utf8.count)
  }

  private static func model() throws -> ServedModel {
    let text = #"{"model":"linear","features":["a","b","c","d"],"weights":[1,10,100,1000],"intercept":0}"#
    return ServedModel(
      name: "m", version: "1", compiled: try CompiledModel(Model(Array(text.utf8), place: "linear.json")),
      features: ["a", "b", "c", "d"].map { ($0, .null) })
  }

  /// What comes is scored or refused with a 400: nothing traps, nothing is scored of another size.
  @Test(arguments: [UInt64(31), 32, 33])
  func `mutated requests are scored or refused`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let model = try Self.model()
    let types = ["FP16", "BF16", "FP32", "FP64", "INT8", "UINT16", "INT64", "BYTES"]
    var scored = 0
    for round in 0..<4_000 {
      var (body, jsonBytes): ([UInt8], Int?)
      if round.isMultiple(of: 2) {
        (body, jsonBytes) = (Array(Self.json[round / 2 % Self.json.count].utf8), nil)
      } else {
        let type = types[round / 2 % types.count]
        (body, jsonBytes) = Self.binary(type, TensorType(rawValue: type)?.sizeBytes ?? 4)
      }
      for _ in 0..<Int(random.next() % 5) { Self.mutate(&body, &jsonBytes, &random) }
      do throws(Problem) {
        try model.withMemory { (memory) throws(Problem) in
          var request = ByteBuffer(bytes: body)
          if jsonBytes == nil, FeatureRecord.isMeant(by: request) {
            request = try FeatureRecord.request(request, model, depthMax: 32)
          }
          try memory.request.parse(request.readableBytesUInt8Span, jsonBytes: jsonBytes, depthMax: 32)
          try memory.request.readMatrix(request.readableBytesUInt8Span, featureCount: 4)
          memory.score()
          #expect(memory.request.values.count == memory.request.rowCount * 4)
          #expect(memory.scores.count == memory.request.rowCount)
          scored += 1
        }
      } catch {
        #expect(error.status == 400, "seed \(seed), round \(round): \(error)")
      }
    }
    #expect(scored > 500, "seed \(seed): what is not changed much is scored")
  }

  private static func mutate(_ body: inout [UInt8], _ jsonBytes: inout Int?, _ random: inout SplitMix64) {
    guard !body.isEmpty else { return }
    let at = Int(random.next() % UInt64(body.count))
    switch random.next() % 7 {
    case 0: body[at] = UInt8(truncatingIfNeeded: random.next())
    case 1: body.remove(at: at)
    case 2: body.insert(UInt8(0x20 + random.next() % 0x5f), at: at)
    case 3: body.replaceSubrange(at..<at, with: Array("9223372036854775807".utf8))
    case 4: body.removeLast(Int(random.next() % UInt64(body.count)))
    case 5: jsonBytes = jsonBytes.map { $0 + Int(random.next() % 9) - 4 }
    default:
      let end = min(at + Int(random.next() % 20), body.count)
      body.replaceSubrange(at..<at, with: Array(body[at..<end]))
    }
  }

  /// Against the arithmetic of IEEE 754: every half, and what it is worth.
  @Test func `every half is the float that it says`() {
    for bits in UInt16.min...UInt16.max {
      let (exponent, fraction) = (Int(bits >> 10 & 0x1f), Double(bits & 0x3ff))
      let found = TensorType.half(bits)
      #expect((found.sign == .minus) == (bits & 0x8000 != 0))
      guard exponent < 31 else {
        #expect(fraction == 0 ? found.isInfinite : found.isNaN)
        continue
      }
      let power = exponent == 0 ? -24 : exponent - 25
      let significand = exponent == 0 ? fraction : fraction + 1_024
      let expected = significand * Double(sign: .plus, exponent: power, significand: 1)
      #expect(Double(found.magnitude) == expected, "\(bits)")
    }
    var values: [Float] = []
    let tensor: [UInt8] = [0x80, 0x3f, 0xc0, 0xff, 0x20, 0xc1]
    unsafe TensorType.bfloat16.append(tensor.span.bytes, to: &values)
    #expect(values[0] == 1 && values[1].isNaN && values[2] == -10)
  }
}
