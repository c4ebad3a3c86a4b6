internal import Core
internal import Columns

extension Function {
  static let times: [Function] =
    [
      Function("date_trunc('unit', ts[, 'zone'])", 2...3) { typer, call throws(ExpressionError) in
        let name = try typer.literalText(call.arguments[0], "the unit")
        guard let unit = TimeUnit(rawValue: name.lowercased()) else {
          let names = TimeUnit.allCases.map(\.rawValue)
          throw ExpressionError(
            "there is no unit of this name", at: call.arguments[0].place, found: "'\(name)'",
            expected: "one of \(names.joined(separator: ", "))", nearest: NearestName.of(name, in: names))
        }
        let timestamp = try typer.timestamp(call.arguments[1], for: call)
        let zone = try typer.zone(call, at: 2, of: call.arguments[1])
        return .operation(.truncate(unit, zone), [timestamp], type: .timestamp, at: call.place)
      },
      Function("epoch_ms(ts)", 1...1) { typer, call throws(ExpressionError) in
        let timestamp = try typer.timestamp(call.arguments[0], for: call)
        return .operation(.epochMilliseconds, [timestamp], type: .integer, at: call.place)
      },
      Function("timestamp_ms(milliseconds)", 1...1) { typer, call throws(ExpressionError) in
        let value = try typer.integer(call.arguments[0], for: call)
        return .operation(.timestampOfMilliseconds, [value], type: .timestamp, at: call.place)
      },
    ] + TimePart.allCases.map(of)

  private static func of(_ part: TimePart) -> Function {
    Function("\(part.rawValue)(ts[, 'zone'])", 1...2) { typer, call throws(ExpressionError) in
      let timestamp = try typer.timestamp(call.arguments[0], for: call)
      let zone = try typer.zone(call, at: 1, of: call.arguments[0])
      let type: ColumnType = part == .date ? .date : .integer
      return .operation(.timePart(part, zone), [timestamp], type: type, at: call.place)
    }
  }
}

enum TimePart: String, Hashable, Sendable, CaseIterable {
  case second = "second_of"
  case minute = "minute_of"
  case hour = "hour_of"
  /// ISO 8601: Monday is 1, Sunday 7.
  case dayOfWeek = "day_of_week"
  case dayOfMonth = "day_of_month"
  case dayOfYear = "day_of_year"
  case month = "month_of"
  case year = "year_of"
  case date = "date_of"
}

enum TimeUnit: String, Hashable, Sendable, CaseIterable {
  case second, minute, hour, day
  /// Begins on Monday.
  case week
  case month, quarter, year
}

extension Typer {
  /// The zone that the argument at `index` names; UTC without it.
  fileprivate func zone(_ call: Function.Call, at index: Int, of time: TypedNode) throws(ExpressionError) -> Zone {
    guard index < call.arguments.count else { return .utc }
    let node = call.arguments[index]
    let name = try literalText(node, "the zone")
    if time.type == .date {
      throw ExpressionError("a date has no time that a zone could shift", at: node.place, found: "'\(name)'")
    }
    switch Zone.load(name) {
    case .loaded(let zone): return zone
    case .unknown(let nearest):
      throw ExpressionError(
        "there is no time zone of this name", at: node.place, found: "'\(name)'",
        expected: "a name of the tz database such as 'America/New_York', or an offset such as '+02:00'",
        nearest: nearest)
    case .unreadable(let reason):
      throw ExpressionError(
        "the time zone cannot be read: \(reason)", at: node.place, found: "'\(name)'",
        remedy: "install the system's tzdata package")
    }
  }
}
