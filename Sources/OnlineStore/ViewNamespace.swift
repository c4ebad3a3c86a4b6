package import Features

/// Where the rows of one form of a view are. A view that changes gets another one, so that both can be there at once.
package struct ViewNamespace: Sendable {
  /// What the keys of its rows begin with on the disk; never used again.
  package let id: UInt32
  /// What the store's calls name the view by, in this process: 0, 1, 2… in the order of `namespace(for:)`.
  package let view: Int
  package let name: String
  /// Of the layout, in hexadecimal digits, and of what the plan adds.
  package let fingerprint: String
  package internal(set) var layout: ViewLayout
}

/// A namespace as the disk knows it, whether a view of the plan uses it or not.
package struct StoredNamespace: Sendable, Equatable {
  package var id: UInt32
  package var name: String
  package var fingerprint: String
}
