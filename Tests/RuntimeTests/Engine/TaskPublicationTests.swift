import Core
import OnlineStore
import Rocks
import Synchronization
import Testing
import Topology

@testable import Runtime

@Suite struct TaskPublicationTests {
  /// A read finds its task, the task goes, then the read begins to wait: nobody would ever answer it.
  @Test func `a wait that comes after the task went is answered`() throws {
    let folder = try ScratchFolder(prefix: "headrace-publication")
    let store = try TaskStore(path: folder.path)
    defer { store.close() }
    let publication = TaskPublication(
      partition: 0, store: store, status: TaskStatus(partition: 0, phase: .running, inputs: []))
    let answers = Mutex<[Bool]>([])
    func waiter() -> TaskPublication.Waiter {
      .init(
        topic: "t", offset: 7, deadlineMilliseconds: .max, resume: { answer in answers.withLock { $0.append(answer) } })
    }
    publication.wait(for: waiter())
    #expect(answers.withLock { $0 } == [])
    publication.end()
    #expect(answers.withLock { $0 } == [false])
    publication.wait(for: waiter())
    #expect(answers.withLock { $0 } == [false, false])
  }
}
