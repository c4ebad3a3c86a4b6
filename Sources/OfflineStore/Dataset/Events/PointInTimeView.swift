package import Columns
package import Expressions
package import Features

/// A view as a dataset reads it: how its rows come out of archived events.
package struct PointInTimeView: Sendable {
  package var name: String
  /// Types of the source's fields, then of its derived columns.
  package var scope: [ColumnType]
  /// Each over all columns in front of it.
  package var derived: [Expression]
  package var filter: Expression?
  /// Of the layout, over the scope.
  package var inputs: [Expression]
  /// Of the entity's join keys, in the scope.
  package var keyColumns: [Int]
  package var layout: ViewLayout
  /// Which features of the layout are read, and under which names.
  package var features: [(position: Int, name: String, type: FeatureType)]

  package init(
    name: String, scope: [ColumnType], derived: [Expression], filter: Expression?, inputs: [Expression],
    keyColumns: [Int], layout: ViewLayout, features: [(position: Int, name: String, type: FeatureType)]
  ) {
    self.name = name
    self.scope = scope
    self.derived = derived
    self.filter = filter
    self.inputs = inputs
    self.keyColumns = keyColumns
    self.layout = layout
    self.features = features
  }
}
