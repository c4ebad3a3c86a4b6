import Core
import Testing

@testable import RemoteModels

@Suite struct ConfigurationTests {
  @Test(arguments: [
    "", "scores:8000", "ftp://scores", "file:///etc/passwd", "http://", "http://:80", "http://user@scores",
    "http://user:password@scores:1", "http://scores/?q=1", "http://scores/#f", "http://scores:0", "http://scores:70000",
    "http://sco res", "http://scores\\@other", "http://scores/a/../b", "http://scores:80@other/",
  ])
  func `what is no plain endpoint is refused`(url: String) {
    #expect(throws: HeadraceError.self) { try EndpointAddress(url) }
  }

  @Test func `configured names cannot lead elsewhere`() throws {
    let address = try EndpointAddress("http://scores:8000/base/")
    #expect(address.url(["v2", "models", "../x?y#z", ".."]) == "http://scores:8000/base/v2/models/..%2Fx%3Fy%23z/%2E")
    #expect(try EndpointAddress("https://scores").isUnencrypted == false)
    #expect(try EndpointAddress("http://127.0.0.1:1").isUnencrypted == false)
    #expect(try EndpointAddress("http://scores").isUnencrypted)
    #expect(try EndpointAddress("http://[::1]:8000").host == "[::1]")
  }

  @Test func `a password in a URL is not shown`() {
    #expect { try EndpointAddress("http://user:secret@scores") } throws: { "\($0)".contains("secret") == false }
  }

  @Test func `credentials that are not there are named by their place`() {
    #expect { try Secret(CredentialSource(.environment("HEADRACE_TEST_NO_SUCH_VARIABLE"))) } throws: {
      ($0 as? HeadraceError)?.place == "environment variable HEADRACE_TEST_NO_SUCH_VARIABLE"
    }
    #expect { try Secret(CredentialSource(.file("/nonexistent/token"))) } throws: {
      ($0 as? HeadraceError)?.code == "CREDENTIALS_MISSING"
    }
  }

  @Test func `a secret does not show itself`() throws {
    let secret = try Secret(CredentialSource(.environment("PATH")))
    #expect("\(secret)" == "***" && String(describing: secret) == "***" && secret.field.value.hasPrefix("Bearer /"))
    var dumped = ""
    dump(secret.description, to: &dumped)
    #expect(!dumped.contains("/"))
  }

  @Test func `what contradicts itself is refused`() {
    var configuration = RemoteModelConfiguration(url: "http://h", format: .openai, model: "m")
    #expect(configuration.fault == nil)
    configuration.outputCount = 2
    #expect(configuration.fault?.code == "REMOTE_MODEL_INVALID")
    configuration.labels = ["good", "bad"]
    #expect(configuration.fault == nil)
    configuration.labels = ["good", "good"]
    #expect(configuration.fault?.code == "REMOTE_MODEL_INVALID")
    configuration.labels = []
    configuration.model = "a b"
    #expect(configuration.fault?.code == "REMOTE_MODEL_INVALID")
  }
}
