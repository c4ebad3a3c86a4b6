import Columns
import Testing

@testable import Expressions

/// Each form and function by example. Random expressions are held against an oracle in `OracleTests`.
@Suite struct EvaluationTests {
  @Test(arguments: [
    ("i + 1", Value.integer(8)), ("i * x", .double(17.5)), ("i / 2", .double(3.5)), ("-i // 2", .integer(-3)),
    ("-i % 4", .integer(-3)), ("1 + 2 * 3", .integer(7)), ("(1 + 2) * 3", .integer(9)), ("2 - 1 - 1", .integer(0)),
    ("i / 0", .null), ("i // 0", .null), ("9223372036854775807 + 1", .null), ("-9223372036854775808", .integer(.min)),
    ("-9223372036854775808 % -1", .integer(0)), ("-9223372036854775808 // -1", .null), ("1e308 * 10", .null),
    ("1e3", .double(1_000)), ("15m", .integer(900_000)), ("nan + 1", .null), ("abs(-i)", .integer(7)),
    ("sign(-x)", .integer(-1)), ("floor(-x)", .double(-3)), ("ceil(x)", .double(3)), ("round(x)", .double(3)),
    ("round(-2.345, 2)", .double(-2.35)), ("round(1234, -2)", .double(1_200)), ("sqrt(-1)", .null),
    ("power(2, 10)", .double(1_024)), ("ln(0)", .null), ("log2(8)", .double(3)), ("least(i, x)", .double(2.5)),
    ("greatest(i, n)", .null), ("bucket(-i, 5)", .integer(-10)), ("bucket(x, 2)", .double(2)), ("bucket(i, 0)", .null),
    ("round(haversine_km(40.64, -73.78, 51.47, -0.45), 3)", .double(5_540.518)), ("atan2(0, 1)", .double(0)),
  ])
  func `numbers`(text: String, expected: Value) throws { #expect(try Sample.value(text) == expected) }

  @Test(arguments: [
    ("price + 1", Value.decimal(unscaled: 1_150, scale: 2)), ("price * 1.5", .decimal(unscaled: 15_750, scale: 3)),
    ("price = 10.50", .boolean(true)), ("price > 10.499", .boolean(true)), ("price / 4", .double(2.625)),
    ("price + x", .double(13)), ("cast(price as double)", .double(10.5)),
    ("-price", .decimal(unscaled: -1_050, scale: 2)),
    ("decimal '0.1' + decimal '0.2' = decimal '0.3'", .boolean(true)), ("price in (1, 10.5)", .boolean(true)),
    ("cast('99999999999999999999999999999999999999' as decimal(38, 0)) + 1", .null),
    ("cast(2.345 as decimal(5, 2))", .decimal(unscaled: 235, scale: 2)), ("cast(1000 as decimal(5, 2))", .null),
    ("cast(price as string)", .string("10.50")), ("cast(-0.05 as decimal(5, 2))::string", .string("-0.05")),
  ])
  func `decimals are exact`(text: String, expected: Value) throws { #expect(try Sample.value(text) == expected) }

  @Test(arguments: [
    ("yes and maybe", Value.null), ("not yes and maybe", .boolean(false)), ("yes or maybe", .boolean(true)),
    ("not maybe", .null), ("maybe is null", .boolean(true)), ("n is not null", .boolean(false)), ("n = n", .null),
    ("i in (1, 7, null)", .boolean(true)), ("i in (1, null)", .null), ("i not in (1, 2)", .boolean(true)),
    ("i in (n, 7)", .boolean(true)), ("i between 7 and 8", .boolean(true)), ("i not between n and 6", .boolean(true)),
    ("coalesce(n, null, 3, i)", .integer(3)), ("coalesce(n, x)", .double(2.5)), ("nullif(i, 7)", .null),
    ("nullif(i, 7.5)", .integer(7)), ("if(maybe, 1, 2)", .integer(2)), ("if(true, i, 0)", .integer(7)),
    ("case when x < 0 then 'low' when x < 3 then 'middle' end", .string("middle")),
    ("case i when 1 then 'one' when 7 then 'seven' else 'many' end", .string("seven")),
    ("case when maybe then 1 end", .null), ("nan = nan", .boolean(true)), ("nan > 1e308", .boolean(true)),
    ("is_nan(nan)", .boolean(true)), ("0.0 = -0.0", .boolean(true)), ("'b' > 'ab'", .boolean(true)),
  ])
  func `nulls and choices`(text: String, expected: Value) throws { #expect(try Sample.value(text) == expected) }

  @Test(arguments: [
    ("lower(s)", Value.string("grüße, welt")), ("upper('straße ǆ')", .string("STRASSE Ǆ")), ("length(s)", .integer(11)),
    ("byte_length(s)", .integer(13)), ("byte_length(raw)", .integer(2)), ("substring(s, 3, 3)", .string("üße")),
    ("substring(s, -1, 4)", .string("Gr")), ("substring(s, 8)", .string("Welt")), ("substring(s, 2, -1)", .null),
    ("s || '!' || 'é'", .string("Grüße, Welt!é")), ("concat('a', null)", .null), ("trim('\t a ')", .string("a")),
    ("ltrim(' a ')", .string("a ")), ("starts_with(s, 'Grü')", .boolean(true)), ("ends_with(s, 'lt')", .boolean(true)),
    ("contains(s, 'ße')", .boolean(true)), ("replace('banana', 'an', 'x')", .string("bxxa")),
    ("replace(s, '', 'x')", .string("Grüße, Welt")), ("split_part('a,b,,c', ',', 2)", .string("b")),
    ("split_part('a,b,,c', ',', -1)", .string("c")), ("split_part('a,b', ',', 9)", .string("")),
    ("split_part('a,b', ',', 0)", .null), ("s like 'Gr%'", .boolean(true)), ("s like 'Gr__e,%t'", .boolean(true)),
    ("s like '_'", .boolean(false)), ("'50%' like '50!%' escape '!'", .boolean(true)),
    ("'505' like '50!%' escape '!'", .boolean(false)), ("s not like '%x%'", .boolean(true)),
    ("'aXbXc' like '%X%c'", .boolean(true)), ("x'0aff'", .bytes([10, 255])), ("raw || x'00'", .bytes([0x41, 0xff, 0])),
    ("s in ('a', 'Grüße, Welt')", .boolean(true)), ("least('b', 'a')", .string("a")),
  ])
  func `texts`(text: String, expected: Value) throws { #expect(try Sample.value(text) == expected) }

  @Test(arguments: [
    ("cast('12.5e1' as double)", Value.double(125)), ("cast('0x10' as double)", .null),
    ("cast('nan' as double)", .null),
    ("cast('1e999' as double)", .null), ("cast(' 1' as integer)", .null), ("cast('-12' as integer)", .integer(-12)),
    ("cast('9223372036854775808' as integer)", .null), ("cast(-2.9 as integer)", .integer(-2)),
    ("cast(nan as integer)", .null), ("cast(9.3e18 as integer)", .null), ("cast(i as boolean)", .boolean(true)),
    ("cast('TRUE' as boolean)", .boolean(true)), ("cast('yes' as boolean)", .null), ("yes::integer", .integer(1)),
    ("cast(raw as string)", .null), ("cast(0.1 as string)", .string("0.1")), ("i::string || ''", .string("7")),
    ("cast(t as string)", .string("2023-11-14T22:13:20.123456Z")), ("cast(day as string)", .string("2024-10-04")),
    ("cast('2024-02-30' as date)", .null), ("cast('2024-02-29' as date)", .date(19_782)),
    ("cast('1969-12-31T23:59:59.5-01:00' as timestamp)", .timestamp(3_599_500_000)),
    ("cast(day as timestamp)", .timestamp(1_728_000_000_000_000)), ("cast(t as date)", .date(19_675)),
    ("9007199254740993 = 9007199254740992.0", .boolean(true)),
  ])
  func `casts`(text: String, expected: Value) throws { #expect(try Sample.value(text) == expected) }

  @Test(arguments: [
    ("hour_of(t)", Value.integer(22)), ("hour_of(t, 'America/New_York')", .integer(17)), ("minute_of(t)", .integer(13)),
    ("second_of(t)", .integer(20)), ("hour_of(t, '+05:30')", .integer(3)), ("day_of_week(t)", .integer(2)),
    ("day_of_month(t, 'Asia/Tokyo')", .integer(15)), ("month_of(t)", .integer(11)), ("year_of(t)", .integer(2_023)),
    ("day_of_year(t)", .integer(318)), ("date_of(t, 'Asia/Tokyo')", .date(19_676)), ("day_of_week(day)", .integer(5)),
    ("epoch_ms(t)", .integer(1_700_000_000_123)), ("timestamp_ms(1)", .timestamp(1_000)),
    ("timestamp_ms(9223372036854775807)", .null), ("t - timestamp_ms(1700000000000)", .integer(123)),
    ("t - 1h", .timestamp(1_699_996_400_123_456)), ("day - date '2024-10-01'", .integer(3)),
    ("epoch_ms(date_trunc('hour', t))", .integer(1_699_999_200_000)),
    ("cast(date_trunc('day', t, 'America/New_York') as string)", .string("2023-11-14T05:00:00Z")),
    ("cast(date_trunc('week', t) as string)", .string("2023-11-13T00:00:00Z")),
    ("cast(date_trunc('quarter', t) as string)", .string("2023-10-01T00:00:00Z")),
    ("t > timestamp '2023-11-14T00:00:00Z'", .boolean(true)), ("t > date '2024-01-01'", .boolean(false)),
  ])
  func `times`(text: String, expected: Value) throws { #expect(try Sample.value(text) == expected) }

  @Test func `hashes never change`() throws {
    #expect(try Sample.value("hash(s)") == .integer(-3_501_261_067_343_641_713))
    #expect(try Sample.value("hash_bucket(i, 10)") == .integer(7))
    #expect(try Sample.value("hash(0.0) = hash(-0.0)") == .boolean(true))
    #expect(try Sample.value("hash_bucket(i, 0)") == .null)
    #expect(try Sample.value("hash(i, s) = hash(s, i)") == .boolean(false))
  }

  @Test func `a field alone says so, and what reads none is a constant`() throws {
    let field = try ParsedExpression("(\"x\")").typed(in: Sample.scope)
    #expect(field.field == 2 && field.inputs == [2] && field.constant == nil)
    let constant = try ParsedExpression("1 + length('ab')").typed(in: Sample.scope)
    #expect(constant.constant == .integer(3) && constant.inputs.isEmpty)
    #expect(try ParsedExpression("x + i * x").typed(in: Sample.scope).inputs == [0, 2])
  }
}
