package import Core
package import Storage

/// Another store with faults on order: what a test wants to go wrong goes wrong at a chosen operation.
///
/// To let a "process" die at its n-th operation, fail that one and all that follow; whoever comes next uses the store
/// underneath.
package final class FaultyBlobStore: BlobStore {
  package enum Operation: String, Sendable { case read, list, putIfAbsent, put, delete, finish }

  package enum Verdict: Sendable {
    case proceed
    /// Nothing happens, and the caller is told so.
    case fail
    /// Nothing happens; the caller cannot know.
    case lose
    /// It happens; the caller cannot know.
    case applyAndFail
  }

  private let inner: any BlobStore
  private let decide: @Sendable (Operation, BlobName?) -> Verdict

  package init(_ inner: any BlobStore, _ decide: @escaping @Sendable (Operation, BlobName?) -> Verdict) {
    self.inner = inner
    self.decide = decide
  }

  package var place: String { inner.place }
  package var backoffMilliseconds: Int { inner.backoffMilliseconds }

  package func read(_ name: BlobName, bytesMax: Int) throws(HeadraceError) -> [UInt8]? {
    try run(.read, name) { () throws(HeadraceError) in try inner.read(name, bytesMax: bytesMax) }
  }

  package func read(_ name: BlobName, range: Range<Int>) throws(HeadraceError) -> [UInt8]? {
    try run(.read, name) { () throws(HeadraceError) in try inner.read(name, range: range) }
  }

  package func entry(_ name: BlobName) throws(HeadraceError) -> BlobEntry? {
    try run(.read, name) { () throws(HeadraceError) in try inner.entry(name) }
  }

  package func list(in folder: BlobName?, after: BlobName?, countMax: Int) throws(HeadraceError) -> [BlobEntry] {
    try run(.list, folder) { () throws(HeadraceError) in
      try inner.list(in: folder, after: after, countMax: countMax)
    }
  }

  package func putIfAbsent(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) -> Bool {
    try run(.putIfAbsent, name) { () throws(HeadraceError) in try inner.putIfAbsent(name, bytes) }
  }

  package func put(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) {
    try run(.put, name) { () throws(HeadraceError) in try inner.put(name, bytes) }
  }

  package func delete(_ names: [BlobName]) throws(HeadraceError) {
    for name in names {
      try run(.delete, name) { () throws(HeadraceError) in try inner.delete([name]) }
    }
  }

  package func writer(_ name: BlobName) throws(HeadraceError) -> any BlobWriter {
    FaultyWriter(store: self, inner: try inner.writer(name), name: name)
  }

  fileprivate func run<Value>(
    _ operation: Operation, _ name: BlobName?, _ body: () throws(HeadraceError) -> Value
  ) throws(HeadraceError) -> Value {
    let failure = HeadraceError(
      .external, "INJECTED_FAULT", "a test let \(operation.rawValue) fail", place: name?.text, remedy: "none")
    switch decide(operation, name) {
    case .proceed: return try body()
    case .fail: throw failure.with(.sameCall)
    case .lose: throw failure.with(.unknownOutcome)
    case .applyAndFail:
      _ = try body()
      throw failure.with(operation == .read || operation == .list ? .sameCall : .unknownOutcome)
    }
  }
}

private final class FaultyWriter: BlobWriter {
  private let store: FaultyBlobStore
  private let inner: any BlobWriter
  private let name: BlobName

  init(store: FaultyBlobStore, inner: any BlobWriter, name: BlobName) {
    self.store = store
    self.inner = inner
    self.name = name
  }

  func append(_ bytes: [UInt8]) throws(HeadraceError) { try inner.append(bytes) }

  func finish() throws(HeadraceError) -> Int {
    let inner = inner
    return try store.run(.finish, name) { () throws(HeadraceError) in try inner.finish() }
  }

  func abandon() { inner.abandon() }
}

extension HeadraceError {
  fileprivate func with(_ retry: Retry) -> HeadraceError {
    var copy = self
    copy.retry = retry
    return copy
  }
}
