import Columns
import Contracts
import Core
import Testing

@Suite struct DeadLetterTests {
  static let amount =
    #"{"name":"amount","type":"double","constraints":{"min":0}},"#
    + #"{"name":"id","type":"string","constraints":{"pattern":"[a-z]+"}}"#

  static func headers(_ payload: [UInt8]?, _ contract: Contract) throws -> [String: String] {
    let decoded = try decode([payload], contract)
    let fault = try #require(decoded.faults.first)
    let value = payload ?? []
    let headers = unsafe DeadLetter.headers(
      fault, contract: contract, value: payload == nil ? nil : value.span.bytes, topic: "payments", partition: 3,
      offset: 42)
    return Dictionary(uniqueKeysWithValues: headers.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) })
  }

  @Test func `a dead letter says what, where and why`() throws {
    let contract = try contract(Self.amount)
    let headers = try Self.headers(Array(#"{"id":"a","amount":-5}"#.utf8), contract)
    #expect(headers["__streams.errors.topic"] == "payments")
    #expect(headers["__streams.errors.partition"] == "3")
    #expect(headers["__streams.errors.offset"] == "42")
    #expect(headers["__streams.errors.exception"] == "headrace.ContractViolation")
    #expect(headers["__streams.errors.stacktrace"] == "payments/3 offset 42, contract test")
    #expect(headers["__streams.errors.message"] == "BELOW_MINIMUM: amount: found -5.0, expected at least 0.0")
    #expect(headers["x-headrace-code"] == "BELOW_MINIMUM")
    #expect(headers["x-headrace-field"] == "amount")
    #expect(headers["x-headrace-reason"] == "amount: found -5.0, expected at least 0.0")
  }

  @Test(arguments: [
    ("{\"id\":\"A1\",\"amount\":1}", "id: found \"A1\", expected a match of [a-z]+"),
    ("{\"id\":\"a\",\"amount\":\"1\"}", "amount: found \"1\", expected a number that a double can hold"),
    ("{\"id\":\"a\"}", "amount: expected the field: it has no default"),
    ("{\"id\":null,\"amount\":1}", "id: found \"null\", expected a value: the field may not be null"),
    (
      "{\"id\":tru}",
      "found \"tru}\" at byte 6, expected JSON: a value is expected: "
        + "an object, array, string, number, true, false or null"
    ),
    ("[1]", "found \"[1]\", expected an object"),
    ("", "found nothing at byte 0, expected JSON: a JSON value is expected"),
  ])
  func `reasons quote what was found`(json: String, reason: String) throws {
    #expect(try Self.headers(Array(json.utf8), try contract(Self.amount))["x-headrace-reason"] == reason)
  }

  @Test func `long and binary values are cut`() throws {
    let contract = try contract(Self.amount)
    let long = try Self.headers(Array(#"{"amount":1,"id":"\#(String(repeating: "é", count: 100))"}"#.utf8), contract)
    #expect(
      long["x-headrace-reason"] == "id: found \"\(String(repeating: "é", count: 24))\"…, expected a match of [a-z]+")
    #expect(try Self.headers([0xff, 0xfe, 0x01], contract)["x-headrace-reason"]?.contains("bytes fffe01") == true)
    #expect(try Self.headers(nil, contract)["x-headrace-code"] == "TOMBSTONE")
    #expect(try Self.headers(nil, contract)["x-headrace-field"] == nil)
  }

  /// Codes are an interface: no two alike, upper case.
  @Test func `codes are stable words`() {
    for code in FaultCode.allCases { #expect(code.rawValue.allSatisfy { $0.isUppercase || $0 == "_" || $0.isNumber }) }
    #expect(Set(FaultCode.allCases.map(\.rawValue)).count == FaultCode.allCases.count)
  }
}
