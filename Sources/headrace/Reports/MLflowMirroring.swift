internal import Core
internal import Logging
internal import MLflow
internal import Registry
internal import Synchronization

/// Keeps an MLflow server's copy of the registry up to date, until it is cancelled.
///
/// A server that is away is asked again after ever longer pauses; nothing here waits for it.
final class MLflowMirroring: Sendable {
  private static let idleMilliseconds: Int64 = 200
  private static let pauseMilliseconds: ClosedRange<Int64> = 500...60_000

  private let state = Mutex(MLflowMirror.Status())

  /// How far it is.
  var status: MLflowMirror.Status { state.withLock { $0 } }

  /// - Parameters:
  ///   - isMine: whether this process is the one that mirrors.
  ///   - database: the registry's log; nil while it is not there.
  func run(
    _ configuration: MLflowConfiguration, filesPlace: String, isMine: @Sendable () -> Bool,
    database: @Sendable () -> RegistryDatabase?, logger: Logger
  ) async {
    let client = MLflowClient(configuration)
    var mirror: MLflowMirror?
    var pause = Self.pauseMilliseconds.lowerBound
    var told: String?
    while !Task.isCancelled {
      guard isMine(), let database = database() else {
        mirror = nil
        try? await Task.sleep(for: .milliseconds(Self.idleMilliseconds))
        continue
      }
      var current = mirror ?? MLflowMirror(database, client, filesPlace: filesPlace)
      do throws(HeadraceError) {
        let refusedBefore = current.status.refused
        let isBusy = try await current.step()
        if current.status.refused > refusedBefore {
          logger.warning(
            "MLflow refuses a record of the registry", metadata: ["error": "\(current.status.refusal ?? "")"])
        }
        (pause, told) = (Self.pauseMilliseconds.lowerBound, nil)
        (mirror, _) = (current, state.withLock { $0 = current.status })
        if !isBusy { try? await Task.sleep(for: .milliseconds(Self.idleMilliseconds)) }
      } catch {
        mirror = current
        if told != error.description {
          logger.warning("MLflow cannot be told of the registry", metadata: ["error": "\(error)"])
          told = error.description
        }
        try? await Task.sleep(for: .milliseconds(pause))
        pause = min(pause * 2, Self.pauseMilliseconds.upperBound)
      }
    }
    await client.close()
  }
}
