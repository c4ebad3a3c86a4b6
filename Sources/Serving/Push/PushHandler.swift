internal import Core

struct PushHandler: Sendable {
  let catalog: ServingCatalog
  let sink: any EventSink
  let limits: ServingConfiguration.Limits
  let clock: WallClock
}
