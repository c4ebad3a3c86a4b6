package import Core

/// Prices of tokens by model, as LiteLLM's `model_prices_and_context_window.json` lists them.
package struct TokenPrices: Sendable, Equatable {
  package struct Price: Sendable, Equatable {
    /// Of one token.
    package var input: Double
    package var output: Double
    package var provider: String
  }

  package private(set) var models: [String: Price] = [:]

  package init() {}

  /// - Throws: `TOKEN_PRICES_INVALID` when it is no JSON object. Entries without prices are left out: the list has
  ///   images and hours as well.
  package init(json: [UInt8], place: String) throws(HeadraceError) {
    guard let members = (try? JSONDocument(json, depthMax: 16))?.members else {
      throw HeadraceError(
        .user, "TOKEN_PRICES_INVALID", "it is no JSON object of models", place: place,
        remedy: "give LiteLLM's model_prices_and_context_window.json")
    }
    for member in members {
      guard let input = member.value["input_cost_per_token"]?.double, input >= 0 else { continue }
      models[member.name] = Price(
        input: input, output: max(member.value["output_cost_per_token"]?.double ?? 0, 0),
        provider: member.value["litellm_provider"]?.string ?? "")
    }
  }

  /// A model by its own name, or behind its provider's: `openai/gpt-4o` finds `gpt-4o`.
  package func price(of model: String) -> Price? {
    if let known = models[model] { return known }
    guard let slash = model.firstIndex(of: "/") else { return nil }
    return models[String(model[model.index(after: slash)...])]
  }
}
