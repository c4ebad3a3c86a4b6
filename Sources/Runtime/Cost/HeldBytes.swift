internal import Core
internal import Cost
internal import OnlineStore
internal import Topology

/// What a process holds in memory and on its disk, by what it is for. The parts of the disk add up to the data folder.
struct HeldBytes {
  let dataDirectory: String
  let topology: String
  let stores: [TaskStore]
  let status: EngineStatus

  var readings: [CostAccount.Reading] { memory + disk }

  private var views: [ViewUsage] {
    var usage: [String: ViewUsage] = [:]
    for view in stores.flatMap({ (try? $0.usageOfViews()) ?? [] }) {
      var sum = usage[view.name] ?? ViewUsage(name: view.name)
      sum.memoryBytes &+= view.memoryBytes
      sum.diskBytes &+= view.diskBytes
      usage[view.name] = sum
    }
    return usage.values.sorted { $0.name < $1.name }
  }

  /// The resident memory: rows by view, what the stores keep, and the rest of the program.
  private var memory: [CostAccount.Reading] {
    let rows = views.map { CostAccount.Reading(.memory, "rows", .view($0.name), $0.memoryBytes) }
    let tables = Int64(status.tasks.reduce(0) { $0 + $1.memoryTableBytes })
    let stores = [
      CostAccount.Reading(.memory, "memory_tables", tables),
      CostAccount.Reading(.memory, "block_cache", Int64(status.blockCacheBytes)),
    ]
    let known = (rows + stores).reduce(0) { $0 &+ $1.bytes }
    return rows + stores
      + [CostAccount.Reading(.memory, "program", max(Int64(ProcessMemory.residentBytes) &- known, 0))]
  }

  private var disk: [CostAccount.Reading] {
    var readings: [CostAccount.Reading] = []
    for name in DiskUsage.names(dataDirectory) {
      let path = "\(dataDirectory)/\(name)"
      switch name {
      case "state": readings += state(DiskUsage.bytes(path))
      case "tables": readings += tables(path)
      default: readings.append(.init(.disk, name, DiskUsage.bytes(path)))
      }
    }
    let known = readings.reduce(0) { $0 &+ $1.bytes }
    // The folder itself.
    readings.append(.init(.disk, "folders", max(DiskUsage.bytes(dataDirectory) &- known, 0)))
    return readings
  }

  /// Files hold the rows of all views: each view has the share of its rows, and what is no row belongs to the store.
  private func state(_ bytes: Int64) -> [CostAccount.Reading] {
    let views = views
    let rows = views.reduce(0) { $0 &+ $1.diskBytes }
    let factor = rows > bytes ? Double(bytes) / Double(rows) : 1
    var readings = views.map { view in
      CostAccount.Reading(.disk, "state", .view(view.name), Int64(Double(view.diskBytes) * factor))
    }
    readings.append(.init(.disk, "state", max(bytes &- readings.reduce(0) { $0 &+ $1.bytes }, 0)))
    return readings
  }

  /// `events/<source>`, `features/<view>` and the others.
  private func tables(_ root: String) -> [CostAccount.Reading] {
    DiskUsage.names(root).flatMap { folder in
      DiskUsage.names("\(root)/\(folder)").map { name in
        let bytes = DiskUsage.bytes("\(root)/\(folder)/\(name)")
        return CostAccount.Reading(.disk, "tables", Subject(table: folder, name), bytes)
      }
    }
  }
}
