internal import Core
internal import Glibc
internal import Inference

/// Scores for the peers' tests: one command a line, one answer a line.
///
///     load MODEL [INSTRUCTIONS [WEIGHTS]]      → ok OUTPUTS FEATURES SUMMARY, or: error …
///     score MATRIX.f32 ROWS BATCH SCORES.f64   → ok
///     time MATRIX.f32 ROWS BATCH SECONDS       → ok NANOSECONDS-A-ROW
///     explain MATRIX.f32 ROWS BATCH RESULT.f64 → ok NUMBERS-A-ROW
///     time-explain MATRIX.f32 ROWS BATCH SECONDS → ok NANOSECONDS-A-ROW
///     break MODEL COUNT SEED                   → ok READ REFUSED: corrupted copies of a file, all of them survived
@main
struct Main {
  static func main() {
    var session = ScoreSession()
    while let line = readLine() {
      do {
        print("ok \(try session.run(line.split(separator: " ").map(String.init)))")
      } catch {
        print("error \(error)")
      }
      fflush(nil)
    }
  }
}
