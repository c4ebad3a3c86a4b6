/// What calls cost, as the endpoint says it.
package struct RemoteUse: Sendable, Hashable {
  package var promptTokens: Int64 = 0
  package var completionTokens: Int64 = 0
  /// Of the prompt's, those that the endpoint had in its cache.
  package var cachedTokens: Int64 = 0
  package var gpuMicroseconds: Int64 = 0

  package init(
    promptTokens: Int64 = 0, completionTokens: Int64 = 0, cachedTokens: Int64 = 0, gpuMicroseconds: Int64 = 0
  ) {
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
    self.cachedTokens = cachedTokens
    self.gpuMicroseconds = gpuMicroseconds
  }

  static func += (sum: inout Self, more: Self) {
    sum.promptTokens = sum.promptTokens.addingReportingOverflow(more.promptTokens).partialValue
    sum.completionTokens = sum.completionTokens.addingReportingOverflow(more.completionTokens).partialValue
    sum.cachedTokens = sum.cachedTokens.addingReportingOverflow(more.cachedTokens).partialValue
    sum.gpuMicroseconds = sum.gpuMicroseconds.addingReportingOverflow(more.gpuMicroseconds).partialValue
  }
}

/// Everything that happened at one endpoint since the process began.
package struct RemoteCounters: Sendable, Hashable {
  /// Requests that were sent, repetitions among them.
  package var requests: Int64 = 0
  package var repetitions: Int64 = 0
  package var rowsScored: Int64 = 0
  package var rowsFromCache: Int64 = 0
  package var rowsFailed: Int64 = 0
  package var breakerOpenings: Int64 = 0
  package var use = RemoteUse()

  package init() {}
}
