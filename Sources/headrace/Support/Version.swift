/// The version of this program, as `--version`, `doctor` and logs tell it.
enum Version {
  static let current = "0.3.0"
}
