import Foundation
import TestSupport

/// docs/writing-an-adapter.md, taken apart into its code blocks.
struct Guide {
    struct Block {
        /// The words behind the opening fence: `c`, `sh rust`.
        var kind: String
        var text: String
        /// Of the opening fence.
        var line: Int
    }

    let blocks: [Block]

    init(_ document: String = "docs/writing-an-adapter.md") throws {
        let text = try String(contentsOf: Checkout.root.appendingPathComponent(document), encoding: .utf8)
        var blocks: [Block] = []
        var open: Block?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(block)
                    open = nil
                } else {
                    open = Block(kind: String(line.dropFirst(3)), text: "", line: number + 1)
                }
            } else {
                open?.text += line + "\n"
            }
        }
        self.blocks = blocks
    }

    func blocks(_ kind: String) -> [Block] { blocks.filter { $0.kind == kind } }

    /// The commands of a language's section, as one script.
    func script(_ language: String) -> String { blocks("sh \(language)").map(\.text).joined() }
}
