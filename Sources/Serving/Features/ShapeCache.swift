internal import Contracts
internal import Synchronization

/// Lists of features that were asked for before, by the bytes that they stand for in a request.
final class ShapeCache: Sendable {
  private struct Entry {
    var source: [UInt8]
    var shape: ResolvedShape
  }

  private let catalog: ServingCatalog
  private let limits: ServingConfiguration.Limits
  private let entries = Mutex<[Int: Entry]>([:])
  /// Of lists that were emptied out, by view and feature.
  private let formerReads = Mutex<[Feature: Int64]>([:])

  /// Positions in the catalog.
  struct Feature: Hashable {
    var view: Int
    var feature: Int
  }

  init(_ catalog: ServingCatalog, _ limits: ServingConfiguration.Limits) {
    self.catalog = catalog
    self.limits = limits
  }

  var count: Int { entries.withLock { $0.count } }

  /// Values that were served, by feature.
  var reads: [Feature: Int64] {
    let shapes = entries.withLock { $0.values.map(\.shape) }
    return Self.add(shapes, to: formerReads.withLock { $0 })
  }

  private static func add(_ shapes: [ResolvedShape], to reads: [Feature: Int64]) -> [Feature: Int64] {
    var reads = reads
    for shape in shapes {
      let rows = shape.servedRows.value
      for read in shape.reads where rows > 0 {
        for feature in read.features { reads[Feature(view: read.view, feature: feature), default: 0] &+= rows }
      }
    }
    return reads
  }

  func shape(of request: borrowing FeatureRequest, in body: Span<UInt8>) throws(Problem) -> ResolvedShape {
    // Feast takes the service when a request names both.
    let isService = request.featureService.map { $0.count > 0 } ?? false
    guard let asked = isService ? request.featureService : request.features else {
      throw Problem(422, "NO_FEATURES", "No features specified for retrieval")
    }
    let source = asked.bytes(in: body)
    let kind = (isService ? 2 : 0) + (request.hasFullFeatureNames ? 1 : 0)
    let hash = hash(source, kind)
    let known = entries.withLock { $0[hash] }
    if let known, known.source.count == source.count + 1, known.source[0] == UInt8(kind),
      source.equals(known.source.span.extracting(droppingFirst: 1))
    {
      return known.shape
    }
    let shape =
      if isService {
        try ShapeResolver.resolve(
          service: asked.string(in: body), hasFullFeatureNames: request.hasFullFeatureNames, catalog: catalog,
          featuresMax: limits.features)
      } else {
        try ShapeResolver.resolve(
          features: try names(in: source), hasFullFeatureNames: request.hasFullFeatureNames, catalog: catalog,
          featuresMax: limits.features)
      }
    var key = [UInt8(kind)]
    unsafe source.withUnsafeBufferPointer { unsafe key.append(contentsOf: $0) }
    let entry = Entry(source: key, shape: shape)
    entries.withLock { entries in
      // Emptied as a whole: whoever sends ever new lists has no use for a cache, and the others are back at once.
      if entries.count >= limits.cachedShapes {
        let shapes = entries.values.map(\.shape)
        formerReads.withLock { $0 = Self.add(shapes, to: $0) }
        entries.removeAll(keepingCapacity: true)
      }
      entries[hash] = entry
    }
    return shape
  }

  /// Swift's hasher is keyed anew in every process: nobody can send lists that collide on purpose.
  private func hash(_ source: Span<UInt8>, _ kind: Int) -> Int {
    var hasher = Hasher()
    hasher.combine(kind)
    unsafe source.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  private func names(in list: Span<UInt8>) throws(Problem) -> [String] {
    var names: [String] = []
    var notText: Int?
    do throws(JSONSyntaxError) {
      var scanner = JSONScanner(list, depthMax: limits.jsonDepth)
      try scanner.enter(UInt8(ascii: "["))
      // One more than is allowed, so that the resolver finds that there are too many.
      while names.count <= limits.features, try scanner.nextElement(isFirst: names.isEmpty) {
        let name = try scanner.value()
        if !name.isString, notText == nil { notText = names.count }
        names.append(name.string(in: list))
      }
    } catch {
      throw .notJSON(error)
    }
    if let notText {
      throw .invalidBody("string_type", ["features", String(notText)], "Input should be a valid string")
    }
    return names
  }
}
