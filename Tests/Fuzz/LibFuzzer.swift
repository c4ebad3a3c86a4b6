#if LIBFUZZER
  internal import Glibc

  /// The entry for libFuzzer, which mutates by coverage: build with `--sanitize fuzzer -Xswiftc -DLIBFUZZER`, choose
  /// the target by `HEADRACE_FUZZ_TARGET`, and give it a copy of the target's corpus folder.
  @_cdecl("LLVMFuzzerTestOneInput")
  package func executeOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    do throws(Violation) {
      try LibFuzzerTarget.chosen.execute(input)
    } catch {
      print(error.message)
      abort()
    }
    return 0
  }

  private enum LibFuzzerTarget {
    // libFuzzer calls from one thread.
    nonisolated(unsafe) static let chosen: any FuzzTarget = {
      switch unsafe getenv("HEADRACE_FUZZ_TARGET").map({ unsafe String(cString: $0) }) {
      case FrameTarget.name: FrameTarget()
      case BatchTarget.name: BatchTarget()
      case ParquetTarget.name: ParquetTarget()
      default: CodecsTarget()
      }
    }()
  }
#endif
