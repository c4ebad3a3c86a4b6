internal import Core
internal import Inference

/// Model files of every format: each is read or refused with one of four codes, and what is read is scored by the
/// kernels as plain code scores it.
struct ModelsTarget: FuzzTarget {
  static let name = "models"

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    var signature = Signature()
    let model: Model
    do throws(HeadraceError) {
      model = try Model(input, place: "x")
    } catch {
      guard Self.codes.contains(error.code) else { throw Violation("\(error)") }
      signature.add(error.message.filter { !$0.isNumber && $0.isASCII })
      return signature
    }
    signature.add(model.format.rawValue)
    signature.add(sizeClassOf: model.featureCount)
    signature.add(sizeClassOf: model.outputCount)
    // Rows of a million features are right, and slow.
    guard model.featureCount <= 1 << 12, model.outputCount <= 1 << 10 else { return signature }
    do throws(HeadraceError) {
      let compiled = try CompiledModel(model)
      signature.add(sizeClassOf: compiled.sizeBytes)
    } catch {
      guard Self.codes.contains(error.code) else { throw Violation("\(error)") }
      signature.add(error.message.filter { !$0.isNumber && $0.isASCII })
    }
    return signature
  }

  private static let codes: Set = ["MODEL_UNREADABLE", "MODEL_INVALID", "MODEL_UNSUPPORTED", "MODEL_TOO_LARGE"]
}

// MARK: Seeds

extension ModelsTarget {
  func seeds() -> [Seed] {
    [
      Seed(name: "lightgbm", bytes: Array(Self.lightGBM.utf8)),
      Seed(name: "xgboost-json", bytes: Array(Self.xgboost.utf8)),
      Seed(name: "xgboost-ubjson", bytes: Self.ubjson),
      Seed(name: "linear", bytes: Array(Self.linear.utf8)),
      Seed(name: "onnx-linear", bytes: Self.onnx),
    ]
  }

  private static let lightGBM = """
    tree
    version=v4
    num_class=1
    num_tree_per_iteration=1
    max_feature_idx=2
    objective=binary sigmoid:1
    feature_names=a b c
    average_output

    Tree=0
    num_leaves=4
    num_cat=1
    split_feature=0 1 2
    threshold=0.5 0 1.0000000180025095e-35
    decision_type=10 1 4
    left_child=1 -1 -3
    right_child=2 -2 -4
    leaf_value=0.1 -0.25 3e-2 4
    cat_boundaries=0 2
    cat_threshold=17 65536
    is_linear=0

    Tree=1
    num_leaves=1
    num_cat=0
    leaf_value=0.125

    end of trees

    """

  private static let xgboost = """
    {"version":[3,2,0],"learner":{"learner_model_param":{"num_feature":"3","num_class":"0","num_target":"1",
    "base_score":"[3E-1]"},"objective":{"name":"binary:logistic"},"gradient_booster":{"name":"gbtree","model":{
    "tree_info":[0],"trees":[{"tree_param":{"size_leaf_vector":"1"},"left_children":[1,3,-1,-1,-1],
    "right_children":[2,4,-1,-1,-1],"split_indices":[0,1,0,0,0],"split_conditions":[0.5,0.0,1E-1,-2.5,3.0],
    "default_left":[1,0,0,0,0],"split_type":[0,1,0,0,0],"categories":[1,3],"categories_nodes":[1],
    "categories_segments":[0],"categories_sizes":[2]}]}}}}
    """

  private static let linear =
    #"{"model":"linear","features":["a","b"],"weights":[[0.5,-1],[2,3]],"intercept":[0.1,1e-3],"#
    + #""missing":[0,7],"link":"softmax"}"#

  /// `{"learner": {"a": [$d#…], "b": [#…], …}}`: every kind of value, and no model.
  private static let ubjson: [UInt8] =
    Array("{L".utf8) + [0, 0, 0, 0, 0, 0, 0, 7] + Array("learner{i".utf8) + [1] + Array("a[$d#L".utf8)
    + [0, 0, 0, 0, 0, 0, 0, 2, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0] + Array("i".utf8) + [1] + Array("b[#i".utf8)
    + [2] + Array("l".utf8) + [0, 0, 0, 9] + Array("SU".utf8) + [2] + Array("hiU".utf8) + [1] + Array("cT}}".utf8)

  /// A Gemm of three features.
  private static let onnx: [UInt8] = {
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
    func value(_ name: String, _ width: UInt8) -> [UInt8] {
      let shape = field(1, [8] + [1]) + field(1, [8, width])
      return field(1, Array(name.utf8)) + field(2, field(1, [8, 1] + field(2, shape)))
    }
    let node =
      field(1, Array("x".utf8)) + field(1, Array("w".utf8)) + field(2, Array("y".utf8)) + field(4, Array("MatMul".utf8))
    let weights =
      [8, 3, 8, 1, 16, 1] + field(8, Array("w".utf8)) + field(9, [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x80, 0xbf])
    return [8, 8] + field(7, field(1, node) + field(5, weights) + field(11, value("x", 3)) + field(12, value("y", 1)))
  }()
}
