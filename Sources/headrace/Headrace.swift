internal import ArgumentParser

@main
struct Headrace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Kafka events to features to predictions.")
}
