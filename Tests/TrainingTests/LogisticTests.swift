import Columns
import Core
import TestSupport
import Testing

@testable import Inference
@testable import OfflineStore
@testable import Training

@Suite struct LogisticTests {
  @Test func `a system is solved`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for size in 1...12 {
      let root = (0..<size * size).map { _ in Double.random(in: -1...1, using: &random) }
      var system = SymmetricSystem(size: size)
      for i in 0..<size {
        system.right[i] = Double.random(in: -1...1, using: &random)
        for j in 0..<size {
          system.matrix[i * size + j] = (0..<size).reduce(i == j ? 0.1 : 0) {
            $0 + root[i * size + $1] * root[j * size + $1]
          }
        }
      }
      let solution = try #require(system.solved())
      for i in 0..<size {
        let product = (0..<size).reduce(0.0) { $0 + system.matrix[i * size + $1] * solution[$1] }
        #expect(abs(product - system.right[i]) < 1e-9, "seed \(seed)")
      }
    }
  }

  @Test func `what is not positive definite is refused`() {
    var system = SymmetricSystem(size: 2)
    system.matrix = [1, 1, 1, 1]
    #expect(system.solved() == nil)
  }

  @Test func `the gradient is that of the loss, by differences`() throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(trainer: .logistic(LogisticParameters()), label: "won")
    let dataset = try SampleDataset.binary(rows: 300, seed: 9).open(folder.path, specification)
    let matrix = try FeatureMatrix(dataset, .train, bytesOfValue: 8, memoryBytes: 1 << 20, isCancelled: { false })
    var pass = LogisticPass(matrix, Standardization(matrix), l2: 3)
    let weights = [0.4, -0.2, 0.1, 0.7, -0.3]
    let system = pass.system(weights)
    for index in weights.indices {
      var (up, down) = (weights, weights)
      up[index] += 1e-5
      down[index] -= 1e-5
      let slope = (pass.loss(up) - pass.loss(down)) / 2e-5
      #expect(abs(slope - system.right[index]) < 1e-5, "\(index)")
      let second = (pass.system(up).right[index] - pass.system(down).right[index]) / 2e-5
      #expect(abs(second - system.matrix[index * weights.count + index]) < 1e-4, "\(index)")
    }
  }

  @Test func `a feature that never changes gets no weight, a missing value counts as the mean`() throws {
    let folder = try TestFolder()
    let specification = TrainingSpecification(trainer: .logistic(LogisticParameters()), label: "a > 0")
    var sample = SampleDataset.binary(rows: 400, seed: 9)
    for row in 0..<400 {
      if row == 0 { sample.features[1].column.removeAll() }; sample.features[1].column.append(Int64(7))
    }
    let dataset = try sample.open("\(folder.path)/d", specification)
    let trained = try TrainingJob(specification: specification, dataset: dataset, workFolder: "\(folder.path)/w").run()
    let bytes = try TestFolder.contents(trained.path)
    let json = try JSONDocument(bytes, depthMax: 4)
    let weights = try #require(json["weights"]?.elements).compactMap(\.double)
    #expect(weights[1] == 0)
    let means = try #require(json["missing"]?.elements).compactMap { $0.double.map(Float.init) }
    let scorer = ReferenceScorer(try Model(bytes, place: "model"))
    #expect(scorer.score([0.5, 7, .nan, .nan]) == scorer.score([0.5, 7, means[2], means[3]]))
  }
}
