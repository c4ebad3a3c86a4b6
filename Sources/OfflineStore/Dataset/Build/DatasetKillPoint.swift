internal import Core

/// Named places at which a test can make a build die as by `kill -9`; ARCHITECTURE.md says what is then in the store.
///
/// `HEADRACE_KILL_AT=dataset.before-manifest headrace dataset build …` dies there.
package enum DatasetKillPoint: String, CaseIterable, Sendable {
  /// All features are computed; no file is written.
  case beforeData = "dataset.before-data"
  /// A data file is there, others may be missing.
  case betweenFiles = "dataset.between-files"
  /// All data files are there; there is no manifest.
  case beforeManifest = "dataset.before-manifest"
  /// The manifest is there; nobody was told.
  case afterManifest = "dataset.after-manifest"

  /// Dies here when the environment says so.
  @inline(__always)
  static func pass(_ point: DatasetKillPoint) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: DatasetKillPoint? = KillSwitch.armed()
}
