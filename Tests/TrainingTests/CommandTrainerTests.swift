import Core
import Glibc
import Storage
import TestSupport
import Testing

@testable import OfflineStore
@testable import Training

/// Programs that do what programs do. They are written in shell here, which is the program; nothing of ours is.
@Suite struct CommandTrainerTests {
  private let folder: TestFolder
  private let dataset: (DatasetCatalog, DatasetCatalog.Entry)
  private static let model =
    #"{\"model\":\"linear\",\"features\":[\"a\",\"b\",\"c\",\"flag\"],\"weights\":[2,0.3,0,1],\"intercept\":-1,"#
    + #"\"missing\":[0,0,0,0],\"link\":\"logistic\"}"#

  init() throws {
    folder = try TestFolder()
    dataset = try SampleDataset.binary(rows: 2_000, seed: 1).write("\(folder.path)/d")
  }

  private func job(
    _ script: String, timeoutMilliseconds: Int64 = 60_000, memoryBytes: Int = 1 << 30, outputBytes: Int = 1 << 20,
    retries: Int = 0, arguments: [String] = []
  ) throws -> TrainingJob {
    let specification = TrainingSpecification(
      trainer: .command(["sh", "-c", script, "trainer"] + arguments), label: "won",
      budget: TrainingBudget(
        timeoutMilliseconds: timeoutMilliseconds, memoryBytes: memoryBytes, outputBytes: outputBytes),
      retries: retries, backoffMilliseconds: 1)
    return TrainingJob(
      specification: specification,
      dataset: try TrainingDataset(dataset.0, dataset.1, specification: specification), workFolder: "\(folder.path)/w")
  }

  private static func write(_ rest: String = "") -> String {
    "printf '%s' \"\(model)\" > \"$HEADRACE_OUTPUT\"; \(rest)"
  }

  /// What a training throws.
  private func failure(_ job: TrainingJob, isCancelled: @escaping () -> Bool = { false }) -> HeadraceError? {
    do throws(HeadraceError) {
      _ = try job.run(isCancelled: isCancelled)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a program is given places and a budget, and reports by lines`() throws {
    let script =
      #"echo '{"type": "progress", "done": 1, "total": 2, "message": "half"}'; "#
      + #"echo '{"type": "metric", "name": "auc", "value": 0.99}'; echo plain "$1" "$2"; "#
      + #"echo '{"type":"artefact","path":"m"}'; test -s "$HEADRACE_DATASET/train.parquet" || exit 9; "#
      + #"test -s "$HEADRACE_DATASET/validation.parquet" || exit 8; ls "$HEADRACE_DATASET" | grep -q test && exit 7; "#
      + #"grep -q '"objective":"binary"' "$HEADRACE_MANIFEST" || exit 6; env >&2; "#
      + Self.write("mv \"$HEADRACE_OUTPUT\" \"$(dirname \"$HEADRACE_OUTPUT\")/m\"")
    unsafe setenv("HEADRACE_SASL_PASSWORD", "secret", 1)
    unsafe setenv("AWS_SECRET_ACCESS_KEY", "secret", 1)
    let model = try job(script, arguments: ["{seed}", "{objective} {}"]).run()
    #expect(model.format == "linear-json" && model.claimedMetrics == [.init(name: "auc", value: 0.99)])
    #expect(model.log.contains("plain 1 binary {}"))
    #expect(!model.log.contains { $0.contains("secret") })
    #expect(model.log.contains { $0.hasPrefix("HEADRACE_SEED=1") } && model.log.contains { $0.hasPrefix("PATH=") })
    let names = Set(
      model.log.compactMap { $0.split(separator: "=").first.map(String.init) }.filter { !$0.contains(" ") })
    #expect(
      names.subtracting(["PATH", "HOME", "LANG", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"]).allSatisfy {
        $0.hasPrefix("HEADRACE_")
      })
  }

  @Test func `a liar is found out`() throws {
    let script = Self.write(#"echo '{"type": "metric", "name": "auc", "value": 0.9999}'"#)
    let job = try job(script)
    let model = try job.run()
    let report = try ModelEvaluation.evaluate(
      [
        .init(name: "liar", role: .challenger, bytes: try TestFolder.contents(model.path), claims: model.claimedMetrics)
      ],
      on: job.dataset)
    #expect(report.findings.map(\.kind) == [.claim], "\(report.findings)")
  }

  @Test(arguments: [
    ("exit 3", "TRAINER_FAILED", "exit code 3"), ("kill -SEGV $$", "TRAINER_FAILED", "SIGSEGV"),
    ("true", "TRAINER_OUTPUT", "no file `model`"),
    ("head -c 5000 /dev/urandom > \"$HEADRACE_OUTPUT\"", "TRAINER_OUTPUT", "the trainer's model is none"),
    ("mkfifo \"$HEADRACE_OUTPUT\"", "TRAINER_OUTPUT", "no file `model`"),
    ("ln -s /etc/hostname \"$HEADRACE_OUTPUT\"", "TRAINER_OUTPUT", "no file `model`"),
    (#"echo '{"type":"artefact","path":"../data/manifest.json"}'"#, "TRAINER_OUTPUT", "outside"),
    (#"printf '{"model":"linear","weights":[1]}' > "$HEADRACE_OUTPUT""#, "TRAINER_OUTPUT", "1 features"),
    ("head -c 3000000 /dev/zero > \"$HEADRACE_OUTPUT\"", "TRAINER_FAILED", "exit code"),
    (
      "i=0; while [ $i -lt 9 ]; do head -c 500000 /dev/zero > \"$TMPDIR/$i\"; i=$((i+1)); done; sleep 1000",
      "TRAINER_OUTPUT", "more than the 1048576 bytes"
    ),
    ("python3 -c 'bytearray(1 << 30)'", "TRAINER_FAILED", "exit code"),
  ]) func `what a program does wrong is contained and said`(_ script: String, _ code: String, _ words: String) throws {
    let error = try #require(failure(try job(script, memoryBytes: 256 << 20)))
    #expect(error.code == code && error.message.contains(words), "\(error)")
    #expect(!TestFolder.names("\(folder.path)/w").contains("model"))
  }

  @Test func `a program that hangs and ignores SIGTERM is killed with all its children`() throws {
    // One child in a session of its own, one whose parent is gone, one that ignores the signal as well.
    let marker = "\(folder.path)/pids"
    let script =
      "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ >> \(marker); sleep 1000' & "
      + "(sh -c 'echo $$ >> \(marker); sleep 1000' &); echo $$ >> \(marker); while :; do sleep 1000; done"
    let start = WallClock.monotonic.nowMilliseconds
    let error = try #require(failure(try job(script, timeoutMilliseconds: 1_500)))
    #expect(error.code == "TRAINING_TIMEOUT", "\(error)")
    #expect(WallClock.monotonic.nowMilliseconds - start < 15_000)
    let pids = String(decoding: try TestFolder.contents(marker), as: UTF8.self).split(separator: "\n").compactMap {
      Int32($0)
    }
    #expect(pids.count == 3)
    for pid in pids { #expect(kill(pid, 0) != 0 && errno == ESRCH, "\(pid) lives") }
  }

  @Test func `children that survive a program are killed, and its model counts`() throws {
    let marker = "\(folder.path)/pids"
    let script =
      Self.write("setsid sh -c 'echo $$ >> \(marker); sleep 1000' >/dev/null 2>&1 & ")
      + "while ! test -s \(marker); do sleep 0.01; done; exit 0"
    let model = try job(script).run()
    #expect(model.log.contains { $0.hasSuffix("processes were left behind, and killed") }, "\(model.log)")
    let pid = try #require(Int32(String(decoding: try TestFolder.contents(marker), as: UTF8.self).dropLast()))
    #expect(kill(pid, 0) != 0 && errno == ESRCH)
  }

  @Test func `a gigabyte of output does not make us grow`() throws {
    let before = ProcessMemory.residentBytes
    let script = Self.write(
      "yes '\(String(repeating: "talk ", count: 60))' | head -c 1073741824; head -c 100000000 /dev/zero")
    let model = try job(script, timeoutMilliseconds: 600_000).run()
    #expect(model.log.count <= TrainerLines.firstLinesMax + TrainerLines.lastLinesMax + 1)
    #expect(model.log.contains { $0.hasSuffix("lines are left out)") }, "\(model.log.count)")
    #expect(ProcessMemory.residentBytes - before < 64 << 20)
  }

  @Test func `a program that fails is started again as often as it may be`() throws {
    let tries = "\(folder.path)/tries"
    let script = "echo x >> \(tries); test $(wc -l < \(tries)) -ge 3 || exit 1; " + Self.write()
    #expect(try job(script, retries: 5).run().attempts == 3)
    try TestFolder.delete(tries)
    let error = failure(try job(script + "#", retries: 1))
    #expect(error?.code == "TRAINER_FAILED")
  }

  @Test func `cancelling ends the program`() throws {
    let marker = "\(folder.path)/pid"
    let job = try job("echo $$ > \(marker); sleep 1000")
    let error = failure(job) { TestFolder.names(folder.path).contains("pid") }
    #expect(error?.code == "TRAINING_CANCELLED")
    let pid = Int32(String(decoding: try TestFolder.contents(marker), as: UTF8.self).dropLast()) ?? 0
    #expect(pid == 0 || (kill(pid, 0) != 0 && errno == ESRCH))
  }

  @Test func `a program that is not there, and a placeholder that is none`() throws {
    var specification = TrainingSpecification(trainer: .command(["no-such-program"]), label: "won")
    for (words, expected) in [
      (["no-such-program"], "TRAINING_PARAMETER"), (["sh", "{datasett}"], "TRAINING_PARAMETER"),
      ([], "TRAINING_PARAMETER"),
    ] {
      specification.trainer = .command(words)
      let job = TrainingJob(
        specification: specification, dataset: try TrainingDataset(dataset.0, dataset.1, specification: specification),
        workFolder: "\(folder.path)/w")
      let error = failure(job)
      #expect(error?.code == expected)
      if words.count == 2 { #expect(error?.remedy == "did you mean {dataset}?") }
    }
  }
}
