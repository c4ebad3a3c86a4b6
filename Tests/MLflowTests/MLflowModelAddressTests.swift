import Core
import MLflow
import Testing

@Suite struct MLflowModelAddressTests {
  @Test(arguments: ["models:/churn@champion", "models:/churn/3"])
  func `an address is written as it was read`(_ text: String) {
    #expect(MLflowModelAddress(text)?.description == text)
  }

  @Test(arguments: [
    "models:/churn", "models:/churn/Production", "models:/@champion", "models:/churn@", "models:/churn/0", "churn/3",
    "models:/a/b/3", "",
  ]) func `what names no version is none`(_ text: String) {
    #expect(MLflowModelAddress(text) == nil)
  }

  @Test(arguments: ["127.0.0.1:5000", "sqlite:///mlflow.db", ""])
  func `a server is named by its address`(_ url: String) {
    #expect(throws: HeadraceError.self) { try MLflowConfiguration(url: url) }
  }
}
