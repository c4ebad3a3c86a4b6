internal import Glibc

#if !LIBFUZZER
  /// Feeds mutated bytes to everything that reads bytes from outside. No coverage, no instrumentation: it runs in a
  /// plain release build.
  ///
  /// A broken invariant ends it with status 1 and saves the input. A trap ends the process; the input is then in
  /// `fuzz-TARGET.last`, from where the next run saves it.
  @main
  struct Main {
    static func main() {
      do {
        let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
        guard arguments.command != "make-corpus" else {
          return try Targets.makeCorpus(in: arguments.folder ?? "Tests/Fuzz/Corpus")
        }
        exit(try Targets.run(arguments) ? 0 : 1)
      } catch let error as FuzzError {
        print(error.message)
        exit(2)
      } catch {
        print("\(error)")
        exit(2)
      }
    }
  }
#endif
