internal import Core

extension TenantUse {
  /// `owners`: whose each subject is, by its name or by the subject whose events tell. `items`: how many of a subject's
  /// events each tenant had.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("owners")
      writer.object { writer in
        for (subject, owner) in owners.sorted(by: { $0.key < $1.key }) {
          writer.key(subject.text)
          writer.object { writer in
            switch owner {
            case .tenant(let name): writer.member("tenant", name)
            case .shared(let basis): writer.member("shared_by", basis.text)
            }
          }
        }
      }
      writer.key("items")
      writer.object { writer in
        for (subject, counts) in items.sorted(by: { $0.key < $1.key }) {
          writer.key(subject.text)
          writer.object { writer in
            for (tenant, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(tenant, count) }
          }
        }
      }
    }
  }

  init(_ document: JSONDocument) {
    self.init()
    for member in document["owners"]?.members ?? [] {
      guard let subject = Subject(text: member.name) else { continue }
      if let name = member.value["tenant"]?.string {
        owners[subject] = .tenant(name)
      } else if let basis = member.value["shared_by"]?.string.flatMap({ Subject(text: $0) }) {
        owners[subject] = .shared(by: basis)
      }
    }
    for member in document["items"]?.members ?? [] {
      guard let subject = Subject(text: member.name) else { continue }
      for count in member.value.members ?? [] { items[subject, default: [:]][count.name] = count.value.integer ?? 0 }
    }
  }
}
