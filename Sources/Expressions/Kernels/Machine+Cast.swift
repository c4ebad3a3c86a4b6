internal import Core
internal import Columns
internal import Glibc

/// Casts, written and implied. What cannot be cast gives null.
extension Machine {
  func cast(
    _ operand: Program.Operand, from: ColumnType, to target: CastTarget, into result: inout Register
  ) {
    switch (from, target.type) {
    case (_, .integer), (_, .boolean): castToInteger(operand, from: from, to: target.type, into: &result)
    case (_, .double): castToDouble(operand, from: from, into: &result)
    case (_, .decimal(let scale)):
      castToDecimal(operand, from: from, scale: scale, precision: target.precision, into: &result)
    case (_, .timestamp), (_, .date): castToTime(operand, from: from, to: target.type, into: &result)
    case (_, .string), (_, .bytes): castToText(operand, from: from, to: target.type, into: &result)
    }
  }

  private func castToInteger(
    _ operand: Program.Operand, from: ColumnType, to target: ColumnType, into result: inout Register
  ) {
    switch from {
    case .double:
      map(operand, into: &result) { (a: Double) -> (value: Int64, isFault: Bool) in
        // Both bounds are exact doubles; the upper one is the first that does not fit.
        a >= -0x1p63 && a < 0x1p63 ? (Int64(a), false) : (0, true)
      }
    case .decimal(let scale):
      let divisor = Decimal128.powers[scale]
      map(operand, into: &result) { (a: Int128) -> (value: Int64, isFault: Bool) in
        Int64(exactly: a / divisor).map { ($0, false) } ?? (0, true)
      }
    case .string where target == .boolean:
      unsafe parse(operand, into: &result) { unsafe NumberText.boolean($0).map { $0 ? 1 : 0 as Int64 } }
    case .string: unsafe parse(operand, into: &result) { unsafe NumberText.integer($0) }
    default:
      let isBoolean = target == .boolean
      map(operand, into: &result) { (a: Int64) -> Int64 in isBoolean ? (a == 0 ? 0 : 1) : a }
    }
  }

  private func castToDouble(_ operand: Program.Operand, from: ColumnType, into result: inout Register) {
    switch from {
    case .decimal(let scale):
      map(operand, into: &result) { (a: Int128) -> Double in Decimal128.double(a, scale: scale) }
    case .string: unsafe parse(operand, into: &result) { unsafe NumberText.double($0) }
    default: map(operand, into: &result) { (a: Int64) -> Double in Double(a) }
    }
  }

  private func castToDecimal(
    _ operand: Program.Operand, from: ColumnType, scale: Int, precision: Int, into result: inout Register
  ) {
    switch from {
    case .decimal(let source):
      map(operand, into: &result) { (a: Int128) -> (value: Int128, isFault: Bool) in
        Decimal128.rescale(a, from: source, to: scale, precision: precision).map { ($0, false) } ?? (0, true)
      }
    case .string:
      unsafe parse(operand, into: &result) { bytes in
        unsafe DecimalText.parse(bytes: bytes).flatMap {
          Decimal128.rescale($0.unscaled, from: $0.scale, to: scale, precision: precision)
        }
      }
    case .double:
      let power = Double(Decimal128.powers[scale])
      map(operand, into: &result) { (a: Double) -> (value: Int128, isFault: Bool) in
        let scaled = (a * power).rounded()
        guard scaled.magnitude < 0x1p126, Decimal128.fits(Int128(scaled), precision: precision) else {
          return (0, true)
        }
        return (Int128(scaled), false)
      }
    default:
      map(operand, into: &result) { (a: Int64) -> (value: Int128, isFault: Bool) in
        Decimal128.rescale(Int128(a), from: 0, to: scale, precision: precision).map { ($0, false) } ?? (0, true)
      }
    }
  }

  private func castToTime(
    _ operand: Program.Operand, from: ColumnType, to target: ColumnType, into result: inout Register
  ) {
    switch (from, target) {
    case (.date, .timestamp):
      map(operand, into: &result) { (a: Int64) -> (value: Int64, isFault: Bool) in
        let (value, overflow) = a.multipliedReportingOverflow(by: Microseconds.perDay)
        return (value, overflow)
      }
    case (.timestamp, .date): map(operand, into: &result) { (a: Int64) in floorDivide(a, Microseconds.perDay) }
    case (.string, .timestamp): unsafe parse(operand, into: &result) { unsafe CivilText.timestamp($0) }
    case (.string, _): unsafe parse(operand, into: &result) { unsafe CivilText.date($0) }
    default: map(operand, into: &result) { (a: Int64) -> Int64 in a }
    }
  }

  /// Reads a value out of each text; null where there is none.
  private func parse<R: LaneElement>(
    _ operand: Program.Operand, into result: inout Register, _ read: (Text.Bytes) -> R?
  ) {
    combineValidity([operand], into: &result)
    unsafe texts(operand) { texts in
      for row in 0..<rowCount where !result.hasNulls || result.validity[row] {
        if let value = unsafe read(texts[row]) {
          unsafe R.write(&result) { slots in unsafe slots[row] = value }
        } else {
          result.startValidity(rowCount: rowCount)
          result.validity[row] = false
        }
      }
    }
    clearNulls(of: &result, R.self)
  }
}

extension Machine {
  private func castToText(
    _ operand: Program.Operand, from: ColumnType, to target: ColumnType, into result: inout Register
  ) {
    switch from {
    case .string, .bytes:
      unsafe texts(operand) { texts in
        writeTexts([operand], into: &result) { row, bytes in
          unsafe bytes.append(contentsOf: texts[row])
          return unsafe target == .bytes || UTF8Text.isValid(texts[row])
        }
      }
    case .double: write(operand, into: &result) { (a: Double, bytes) in NumberText.append(a, to: &bytes) }
    case .decimal(let scale):
      write(operand, into: &result) { (a: Int128, bytes) in NumberText.append(a, scale: scale, to: &bytes) }
    case .boolean:
      write(operand, into: &result) { (a: Int64, bytes) in
        bytes.append(contentsOf: a != 0 ? "true".utf8 : "false".utf8)
      }
    case .integer:
      write(operand, into: &result) { (a: Int64, bytes) in NumberText.append(Int128(a), scale: 0, to: &bytes) }
    case .timestamp:
      write(operand, into: &result) { (a: Int64, bytes) in CivilText.append(microseconds: a, to: &bytes) }
    case .date:
      unsafe lanes(operand, Int64.self) { days in
        writeTexts([operand], into: &result) { row, bytes in
          guard unsafe days[row].magnitude <= CivilDate.daysMax.magnitude else { return false }
          unsafe CivilText.append(days: days[row], to: &bytes)
          return true
        }
      }
    }
  }

  @inline(__always)
  private func write<A: LaneElement>(
    _ operand: Program.Operand, into result: inout Register, _ format: (A, inout [UInt8]) -> Void
  ) {
    unsafe lanes(operand, A.self) { a in
      writeTexts([operand], into: &result) { row, bytes in
        unsafe format(a[row], &bytes)
        return true
      }
    }
  }
}

extension Register {
  /// A row of a text register that is null because its operation failed.
  mutating func appendFault(_ row: Int, rowCount: Int) {
    startValidity(rowCount: rowCount)
    validity[row] = false
    text.appendEmpty()
  }
}
