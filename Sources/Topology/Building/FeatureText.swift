internal import Columns
internal import Core
internal import Expressions
internal import Features

/// A feature of a view whose grammar is right.
struct FeatureDraft {
  enum Shape {
    /// `mean(dep_delay) where origin == 'JFK' over 1h, 6h`.
    case aggregate(ParsedFeature)
    /// `flights_1h / flights_24h`: computed from features of the same view when it is read.
    case derived(ParsedExpression)
  }

  var name: YAMLScalar
  var text: YAMLScalar
  var shape: Shape
}

/// A view whose names are known, on the way to a plan.
struct ViewDraft {
  let declaration: ViewDeclaration
  let source: Int
  /// nil where it is wrong: the features are checked all the same.
  let entity: Int?
  var filter: (text: YAMLScalar, parsed: ParsedExpression)?
  var features: [FeatureDraft] = []
}

extension PlanBuilder {
  /// Looks up source and entity, parses every feature, and tells the source which fields are needed.
  func draft(_ view: ViewDeclaration) -> ViewDraft? {
    let what = "view `\(view.name.text)`"
    reportSecondView(view.name)
    let source = resolve(view.source, in: declaration.sources, "source") { $0.name }
    let entity = resolve(view.entity, in: declaration.entities, "entity") { $0.name }
    guard let source, let sourceDraft = sources[source] else {
      // The grammar can be checked all the same.
      for feature in view.features { _ = featureDraft(feature, what) }
      return nil
    }
    var draft = ViewDraft(declaration: view, source: source, entity: entity)
    if let filter = view.filter, let parsed = parse(filter, "filter of \(what)") {
      checkNames(parsed, filter, sourceDraft, "filter of \(what)")
      draft.filter = (filter, parsed)
      sources[source]?.need(parsed)
    }
    for key in entity.map({ declaration.entities[$0].keys }) ?? [] {
      if sourceDraft.has(key.text) {
        sources[source]?.need(key.text)
      } else if let place = view.entity {
        log.error(
          at: place,
          "source `\(sourceDraft.declaration.name.text)` has no join key `\(key.text)` of entity `\(place.text)`",
          nearest: NearestName.of(key.text, in: sourceDraft.names),
          remedy: "derive it in the source: `derive: {\(key.text): …}`")
      }
    }
    for feature in view.features {
      guard let parsed = featureDraft(feature, what) else { continue }
      draft.features.append(parsed)
      guard case .aggregate(let aggregate) = parsed.shape else { continue }
      for expression in [aggregate.argument, aggregate.filter].compactMap(\.self) {
        checkNames(expression, feature.text, sourceDraft, "feature `\(feature.name.text)`")
        sources[source]?.need(expression)
      }
    }
    return draft
  }

  private func reportSecondView(_ name: YAMLScalar) {
    guard let index = declaration.views.firstIndex(where: { $0.name.position == name.position }) else { return }
    reportSecond(name, index, declaration.views.map(\.name), "view")
    if name.text == "request" {
      log.error(at: name, "a view cannot be named `request`: `request:field` means a value that comes with a request")
    }
  }

  private func featureDraft(_ feature: NamedText, _ what: String) -> FeatureDraft? {
    do throws(ExpressionError) {
      guard let parsed = try FeatureSyntax.parse(feature.text.text) else {
        let expression = try ParsedExpression(feature.text.text)
        return FeatureDraft(name: feature.name, text: feature.text, shape: .derived(expression))
      }
      return FeatureDraft(name: feature.name, text: feature.text, shape: .aggregate(parsed))
    } catch {
      report(error, in: feature.text, "feature `\(feature.name.text)`")
      return nil
    }
  }
}
