internal import ArgumentParser

/// How commands that list something print it.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}
