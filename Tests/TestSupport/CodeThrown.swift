internal import Core

/// The code of what `body` throws; nil when it throws nothing.
package func codeThrown(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? HeadraceError)?.code ?? "\(error)"
  }
}
