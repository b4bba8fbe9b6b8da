import AuthorKit

/// A language that there is a project for.
enum AuthorLanguage: String, CaseIterable {
    case c
    case swift
    case rust

    /// For people.
    var name: String {
        switch self {
        case .c: "C"
        case .swift: "Swift"
        case .rust: "Rust"
        }
    }

    var build: String {
        switch self {
        case .c: "make"
        case .swift: "swift build"
        case .rust: "cargo build"
        }
    }

    var test: String {
        switch self {
        case .c: "make test"
        case .swift: "swift test"
        case .rust: "cargo test"
        }
    }

    /// Where libraries lie, from the project on.
    var products: String {
        switch self {
        case .c: "."
        case .swift: ".build/debug"
        case .rust: "target/debug"
        }
    }

    /// The file of an adapter. Cargo puts no other sign than _ into a library's name.
    func library(_ name: String) -> String {
        "\(products)/libsmartmeter\(self == .rust ? "_" : "-")\(name).so"
    }
}

/// The files of `Sources/AuthorKit`, which are part of the program.
enum AuthorProject {
    struct File {
        let path: String
        let bytes: [UInt8]
    }

    /// The project's files, for an adapter of that name.
    static func files(_ language: AuthorLanguage, named name: String) -> [File] {
        (0..<author_kit_count()).compactMap { index in
            let source = unsafe author_kit_at(index)
            guard let path = unsafe source.path, let spoken = unsafe source.language,
                unsafe String(cString: spoken) == language.rawValue
            else { return nil }
            let bytes = unsafe [UInt8](UnsafeBufferPointer(start: source.bytes, count: source.count))
            let name = unsafe source.is_template == 0 ? nil : Placeholder(name)
            return unsafe File(
                path: name?.fill(String(cString: path)) ?? String(cString: path),
                bytes: name.map { Array($0.fill(String(decoding: bytes, as: UTF8.self)).utf8) } ?? bytes)
        }
    }
}

/// The name that the templates are written for, and the author's in its place.
private struct Placeholder {
    private let words: [(from: String, to: String)]

    init(_ name: String) {
        let title = name.split(separator: "_").joined(separator: " ")
        words = [
            ("my_meter", name), ("MY_METER", name.uppercased()),
            ("My meter", title.prefix(1).uppercased() + title.dropFirst()),
        ]
    }

    func fill(_ text: String) -> String {
        words.reduce(text) { text, word in
            text.split(separator: word.from, omittingEmptySubsequences: false).joined(separator: word.to)
        }
    }
}
