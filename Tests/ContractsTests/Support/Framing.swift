import Contracts
import Core

/// One framed document as a test compares it.
struct FramedDocument: Equatable {
  var line: Int
  var text: String
}

/// Feeds `input` in pieces of random size, as files and pipes arrive.
func frame(
  _ input: [UInt8], by framing: some DocumentFraming, random: inout SplitMix64, pieceMax: Int
) throws -> (documents: [FramedDocument], faults: [InputFault]) {
  var framing = framing
  var (documents, faults) = ([FramedDocument](), [InputFault]())
  var (buffer, batch) = ([UInt8](), DocumentBatch())
  var rest = input[...]
  while true {
    let piece = rest.prefix(1 + random.below(pieceMax))
    rest = rest.dropFirst(piece.count)
    buffer += piece
    try framing.frame(&buffer, isFinal: rest.isEmpty, into: &batch)
    for document in 0..<batch.count {
      let text = String(decoding: batch.bytes[batch.trimmedRange(of: document)], as: UTF8.self)
      documents.append(FramedDocument(line: batch.lines[document], text: text))
    }
    faults += batch.faults
    if rest.isEmpty { return (documents, faults) }
  }
}
