internal import ArgumentParser
internal import Contracts
internal import Core
internal import Cost
internal import Topology

/// What resources cost: the same flags on every command that prices something.
struct PriceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What resources cost: dated YAML such as deploy/prices.yaml, with tenants and budgets. (HEADRACE_PRICES)",
      valueName: "file"))
  var prices: String?
  @Option(
    help: ArgumentHelp(
      "What tokens cost: LiteLLM's model_prices_and_context_window.json. (HEADRACE_TOKEN_PRICES)", valueName: "file"))
  var tokenPrices: String?

  private static let tokenFileBytesMax = 64 << 20

  /// - Returns: nil when nobody says what anything costs.
  func book() throws(HeadraceError) -> PriceBook? {
    guard let file = prices ?? Environment["PRICES"] else { return nil }
    var book = try PriceBook(json: YAMLDocument.json(TextFile.read(file), file: file), place: file)
    if let file = tokenPrices ?? Environment["TOKEN_PRICES"] {
      let text = try TextFile.read(file, sizeBytesMax: Self.tokenFileBytesMax)
      book.tokens = try TokenPrices(json: Array(text.utf8), place: file)
    }
    return book
  }

  /// - Throws: PRICES_MISSING when nobody says what anything costs.
  func requiredBook() throws(HeadraceError) -> PriceBook {
    if let book = try book() { return book }
    throw HeadraceError(
      .user, "PRICES_MISSING", "nobody says what resources cost",
      remedy: "--prices FILE, or HEADRACE_PRICES; deploy/prices.yaml is one to begin with")
  }
}
