internal import Core
internal import OfflineStore
internal import Storage

/// Manifests of datasets: each is read or refused, and what it names is looked for inside of its folder only.
struct ManifestTarget: FuzzTarget {
  static let name = "manifest"

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    var signature = Signature()
    let store = MemoryBlobStore()
    do throws(HeadraceError) {
      try store.put(try BlobName("\(Self.folder)/manifest.json"), input)
      // Outside of the dataset: whoever gets here followed a path.
      try store.put(try BlobName("datasets/x/secret.parquet"), [])
      let catalog = DatasetCatalog(store)
      let entry = try catalog.entry(try BlobName(Self.folder))
      signature.add(sizeClassOf: entry.tables.count)
      signature.add(sizeClassOf: entry.manifest.files.count)
      _ = try DatasetPins(in: store).versions(of: try BlobName("events/departed"))
      _ = try catalog.contentHash(of: entry)
      signature.add("hash")
    } catch {
      guard error.code == "MANIFEST_INVALID", let place = error.place, place.contains(Self.folder) else {
        throw Violation("\(error)")
      }
      signature.add(error.message.filter { !$0.isNumber && $0.isASCII })
    }
    return signature
  }

  private static let folder = "datasets/x/1"

  func seeds() -> [Seed] { [Seed(name: "manifest", bytes: Array(Self.manifest.utf8))] }

  private static let manifest = """
    {"format_version":2,"name":"x","topology":"flights","service":"late_v1","service_fingerprint":"8d2f",
    "label_time":"at","split":"time:0.8","content_hash":"00ff","as_known":true,"names_records":false,"from_ms":1,
    "labels":{"kind":"topic","place":"labels","offsets":{"0":[1,9]}},"row_count":3,
    "views":[{"name":"carrier","fingerprint":"77"}],
    "tables":[{"name":"events/departed","source":"departed","version":12,"offsets":{"flights/0/departed/0":345}}],
    "topics":[{"name":"flights.arrived","source":"arrived","offsets":{"0":12}}],
    "schema":[{"name":"id","type":"integer","null_count":0},
    {"name":"f","type":"double","null_count":1,"feature":"c:f"}],
    "files":[{"name":"train-00000.parquet","part":"train","row_count":2,"size_bytes":900},
    {"name":"test-00000.parquet","part":"test","row_count":1,"size_bytes":901}]}
    """
}
