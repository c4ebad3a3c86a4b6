internal import CSimdjson

/// The wanted fields as a tree of names, the shape in which C matches them.
struct FieldTree {
  /// For each wanted field its place in a document's row; a path that is wanted twice is found once.
  private(set) var columns: [Int] = []
  private(set) var columnCount = 0
  private var nodes = [Node(name: [], parent: 0)]

  private struct Node {
    /// Bytes, because JSON names are equal when their bytes are; Swift's strings also are when they look the same.
    var name: [UInt8]
    var parent: Int
    var column: Int?
    var children: [Int] = []
  }

  init(_ paths: [FieldPath]) {
    for path in paths {
      var position = 0
      for name in path.names { position = child(of: position, named: Array(name.utf8)) }
      let column = nodes[position].column ?? columnCount
      if nodes[position].column == nil { columnCount += 1 }
      nodes[position].column = column
      columns.append(column)
    }
  }

  private mutating func child(of parent: Int, named name: [UInt8]) -> Int {
    if let existing = nodes[parent].children.first(where: { nodes[$0].name == name }) { return existing }
    nodes.append(Node(name: name, parent: parent))
    nodes[parent].children.append(nodes.count - 1)
    return nodes.count - 1
  }

  /// The C reader for these fields, which copies the names; nil when there is no memory.
  func makeReader() -> OpaquePointer? {
    let names = nodes.flatMap(\.name)
    return unsafe names.withUnsafeBufferPointer { bytes in
      var start = 0
      let nodes = unsafe self.nodes.map { node in
        defer { start += node.name.count }
        return unsafe csimdjson_node(
          name: bytes.baseAddress.map { unsafe $0 + start }, name_length: UInt32(node.name.count),
          parent: UInt32(node.parent), field: Int32(node.column ?? -1))
      }
      return unsafe csimdjson_create(nodes, nodes.count, columnCount)
    }
  }
}
