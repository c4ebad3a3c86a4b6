internal import Core

/// What is wrong with a model file. Places are put together on the way out: `model.txt, tree 3, node 7`.
enum ModelFault {
  /// The file does not follow its format.
  static func unreadable(_ message: String, place: String? = nil) -> HeadraceError {
    HeadraceError(
      .user, "MODEL_UNREADABLE", message, place: place, remedy: "save the model again with its library")
  }

  /// The file follows its format and makes no sense.
  static func invalid(_ message: String, place: String? = nil) -> HeadraceError {
    HeadraceError(.user, "MODEL_INVALID", message, place: place, remedy: "save the model again with its library")
  }

  /// A kind of model that is not scored here.
  static func unsupported(_ message: String, place: String? = nil, remedy: String) -> HeadraceError {
    HeadraceError(.user, "MODEL_UNSUPPORTED", message, place: place, remedy: remedy)
  }

  static func tooLarge(_ message: String, place: String? = nil) -> HeadraceError {
    HeadraceError(.user, "MODEL_TOO_LARGE", message, place: place, remedy: "train a smaller model")
  }
}
