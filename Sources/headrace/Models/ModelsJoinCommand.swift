internal import ArgumentParser
internal import Core
internal import Kafka
internal import Registry
internal import Runtime
internal import Storage

struct ModelsJoinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Publish what a folder's registry holds to a cluster.",
    discussion: """
      Every command of the folder's log goes to the control topic under its own id, and the files of its models into \
      the store of tables first. A command that is there already is not sent again: what was cut short, by whatever, \
      is finished by calling it again, and later commands of the folder follow in the same way.

      It is a command of its own because the control topic never forgets: a worker that was started with the wrong \
      --bootstrap must not write a history into it. A model that both have is a conflict; nothing is sent then.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Option(help: ArgumentHelp("The folder whose registry is published.", valueName: "folder")) var data: String
  @Option(
    help: ArgumentHelp(
      "Where the workers have their tables: a folder or s3://BUCKET/PREFIX. (default: tables in --data)",
      valueName: "place"))
  var tables: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let client = try connection.clientConfiguration()
    let local = try LocalRegistry.existing(dataDirectory: data)
    let store = ModelFileStore(try TableLocation.store(tables, dataDirectory: data), below: "models")
    let (sent, known) = try await BlockingThread(name: "models").run {
      try RegistryPublication(local: local, files: store, client: client).run()
    }
    switch output {
    case .table: try StandardOutput.writeLine("\(sent) commands published, \(known) were there already")
    case .json:
      var writer = JSONWriter()
      writer.object { json in
        json.member("published", sent)
        json.member("known", known)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}
