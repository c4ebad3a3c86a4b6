internal import OnlineStore

/// Which owner is asked for which rows: one request for each owner, more only where one would be too large.
struct PeerSplit: Equatable {
  struct Call: Equatable {
    var owner: RowOwner
    /// Positions in what was to be split, rising.
    var reads: [Int]
  }

  /// In the order in which their owners come first.
  private(set) var calls: [Call] = []
  /// Positions of rows that nobody is known to have.
  private(set) var ownerless: [Int] = []

  /// What one request may hold.
  struct Limits {
    var rows = RowsRequest.rowsMax
    /// The body's limit is twice as much, for what is around them.
    var keyBytes = 512 << 10
    /// Values of features that are answered.
    var values = RowsRequest.valuesMax
  }

  init(_ reads: [ForeignRead], limits: Limits = Limits(), owner: (Int32) -> RowOwner?) {
    struct Open {
      var call: Int
      var keyBytes = 0
      var values = 0
    }
    var open: [RowOwner: Open] = [:]
    for (position, read) in reads.enumerated() {
      guard let owner = owner(read.partition) else {
        ownerless.append(position)
        continue
      }
      var last = open[owner]
      if let full = last,
        calls[full.call].reads.count >= limits.rows || full.keyBytes + read.key.bytes.count > limits.keyBytes
          || full.values + read.features.count > limits.values
      {
        last = nil
      }
      if last == nil { calls.append(Call(owner: owner, reads: [])) }
      var current = last ?? Open(call: calls.count - 1)
      calls[current.call].reads.append(position)
      current.keyBytes += read.key.bytes.count
      current.values += read.features.count
      open[owner] = current
    }
  }
}
