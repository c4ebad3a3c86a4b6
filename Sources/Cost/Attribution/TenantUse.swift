/// Whose the subjects of a report are, and how many of a subject's events each tenant had.
package struct TenantUse: Sendable, Equatable {
  package enum Owner: Sendable, Hashable {
    case tenant(String)
    /// Shared out by the events, or the predictions, that each tenant of this subject had.
    case shared(by: Subject)
  }

  /// As the topology says it; a subject that it says nothing of is not here.
  package var owners: [Subject: Owner] = [:]
  /// Events of sources and predictions of models by tenant.
  package var items: [Subject: [String: Int64]] = [:]

  package init() {}

  /// Tenants of a subject with their parts of it, which add up to 1; by name.
  ///
  /// - Returns: nil when nobody said whose it is, or nothing came that it could be shared out by.
  package func parts(of subject: Subject) -> [(tenant: String, part: Double)]? {
    switch owners[subject] {
    case nil: return nil
    case .tenant(let name): return [(name, 1)]
    case .shared(let basis):
      let counts = (items[basis] ?? [:]).filter { $0.value > 0 }
      let sum = counts.values.reduce(0) { $0 &+ $1 }
      guard sum > 0 else { return nil }
      return counts.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value) / Double(sum)) }
    }
  }

  package var isEmpty: Bool { owners.isEmpty && items.isEmpty }

  /// The same of another span or another process: of two that know whose a subject is, the other one does.
  package mutating func merge(_ other: TenantUse) {
    owners.merge(other.owners) { $1 }
    for (subject, counts) in other.items { items[subject, default: [:]].merge(counts) { $0 &+ $1 } }
  }

  /// What came since an earlier report of the same process.
  package func since(_ earlier: TenantUse) -> TenantUse {
    var difference = self
    difference.items = [:]
    for (subject, counts) in items {
      let before = earlier.items[subject] ?? [:]
      // Fewer than before: another field of the events says whose they are.
      let isAnother = counts.contains { $0.value < before[$0.key] ?? 0 }
      let new =
        isAnother ? counts : counts.merging(before) { $0 &- $1 }.filter { counts[$0.key] != nil && $0.value > 0 }
      if !new.isEmpty { difference.items[subject] = new }
    }
    return difference
  }
}

extension Subject {
  /// `view:payments_user`.
  package var text: String { "\(kind.rawValue):\(name)" }

  package init?(text: String) {
    guard let colon = text.firstIndex(of: ":"), let kind = Kind(rawValue: String(text[..<colon])) else { return nil }
    self.init(kind, String(text[text.index(after: colon)...]))
  }
}
