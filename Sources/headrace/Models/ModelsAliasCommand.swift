internal import ArgumentParser
internal import Core
internal import Registry

struct ModelsAliasCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alias", abstract: "Let an alias stand for a version of a model, or for none.",
    discussion: """
      `champion` is what a model's bare name stands for. A server on the same folder follows within a second; requests \
      that have begun end with the version that they began with.
      """)

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name")) var name: String
  @Argument(help: ArgumentHelp("The alias, such as champion.", valueName: "alias")) var alias: String
  @Argument(help: ArgumentHelp("A version by its number, or none.", valueName: "version")) var version: String
  @OptionGroup var store: ModelStoreOptions
  @OptionGroup var actor: ActorOptions
  @Option(
    help: ArgumentHelp(
      "Fail unless the alias stands for this version now, or for none: guards against another change.",
      valueName: "version"))
  var expect: String?
  @Option(help: ArgumentHelp("Why.", valueName: "text")) var reason = ""
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard RegistryLimits.isAliasName(alias) else {
      throw ValidationError("\(alias): expected a name that is no number")
    }
    _ = try VersionArgument.parse(version, flag: "version")
    if let expect { _ = try VersionArgument.parse(expect, flag: "--expect") }
    guard reason.utf8.count <= RegistryLimits.textBytes else {
      throw ValidationError("--reason: expected at most \(RegistryLimits.textBytes) bytes")
    }
  }

  func run() async throws {
    let number = try VersionArgument.parse(version, flag: "version")
    let expected = try expect.map { try VersionArgument.parse($0, flag: "--expect") }
    let (former, isChanged) = try store.existing().setAlias(
      alias, of: name, to: number, expected: expected.map { .version($0) } ?? .any, actor: actor.actor,
      reason: reason, timeMilliseconds: WallClock.system.nowMilliseconds)
    switch output {
    case .json:
      var writer = JSONWriter()
      writer.object { json in
        json.member("model", name)
        json.member("alias", alias)
        json.key("version")
        if let number { json.number(number) } else { json.null() }
        json.key("former_version")
        if let former { json.number(former) } else { json.null() }
        json.member("changed", isChanged)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    case .table:
      let before = isChanged ? former.map { ", before for version \($0)" } ?? "" : ", as before"
      try StandardOutput.writeLine(
        "\(name)@\(alias) stands for \(number.map { "version \($0)" } ?? "nothing")\(before)")
    }
  }
}
