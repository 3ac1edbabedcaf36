#include "analysis/review/parse.h"

#include <tree_sitter/api.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>

#include "analysis/review/words.h"

extern "C" {
const TSLanguage* tree_sitter_javascript();
const TSLanguage* tree_sitter_typescript();
const TSLanguage* tree_sitter_tsx();
}

namespace ebbtide {
namespace {

// Sources that send the parser's error recovery astray are given up, not waited for.
constexpr std::uint64_t patience_us = 20'000'000;

const TSLanguage* language_of(std::string_view path) {
  if (path.ends_with(".tsx")) return tree_sitter_tsx();
  if (path.ends_with(".ts") || path.ends_with(".mts") || path.ends_with(".cts"))
    return tree_sitter_typescript();
  return tree_sitter_javascript();
}

// The grammar's numbers for kinds and fields as ours.
struct Vocabulary {
  explicit Vocabulary(const TSLanguage* of) : language(of) {
    for (std::uint32_t i = 0; i < ts_language_symbol_count(of); i++) {
      const auto symbol = static_cast<TSSymbol>(i);
      const bool named = ts_language_symbol_type(of, symbol) == TSSymbolTypeRegular;
      kinds.push_back(kind_named(ts_language_symbol_name(of, symbol), named));
    }
    fields.push_back(Field::none);
    for (std::uint32_t i = 1; i <= ts_language_field_count(of); i++)
      fields.push_back(field_named(ts_language_field_name_for_id(of, static_cast<TSFieldId>(i))));
  }

  [[nodiscard]] SyntaxKind kind(TSNode node) const {
    const TSSymbol symbol = ts_node_symbol(node);
    return symbol < kinds.size() ? kinds[symbol] : SyntaxKind::error;  // ERROR is 65535
  }

  const TSLanguage* language;
  std::vector<SyntaxKind> kinds;
  std::vector<Field> fields;
};

// libtree-sitter 0.20 counts the children of an error in 16 bits and damages its memory beyond
// that. Such an error holds all that was open when the parser gave up, so sources are passed over
// that could leave more open than this.
constexpr std::uint32_t max_pending_tokens = 50'000;

bool begins_statement(std::string_view text) {
  return one_of(text.substr(0, std::min(text.find_first_of(" ({"), text.size())),
                {"const", "let", "var", "function", "class", "import", "export", "async"});
}

// About how many tokens are open at once: those since the last separator, here and outside of each
// bracket around. Strings and comments count as if they were code.
bool leaves_too_much_open(std::string_view text) {
  std::vector<std::uint32_t> outside;
  std::uint32_t base = 0, pending = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    const bool word = c == '_' || c == '$' || std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (!word || !in_word) pending += c == ' ' || c == '\n' || c == '\t' || c == '\r' ? 0 : 1;
    in_word = word;
    if (c == '(' || c == '[' || c == '{') {
      outside.push_back(base);
      base = pending;
    } else if ((c == ')' || c == ']' || c == '}') && !outside.empty()) {
      pending = base;  // with its bracket, one token of what is outside
      base = outside.back();
      outside.pop_back();
    }
    const bool separates =
        c == ';' || c == ',' || (c == '\n' && begins_statement(text.substr(i + 1, 12)));
    if (separates) pending = base;
    if (pending > max_pending_tokens) return true;
  }
  return false;
}

// The grammars do not know `using x = …`. The parser is given `const x = …` in its place, which is
// as long; the words of the tree are those of the file, so it still reads "using".
std::string with_using_as_const(std::string_view text) {
  std::string out(text);
  const auto is_word = [](char c) {
    return c == '_' || c == '$' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  };
  for (auto at = text.find("using "); at != std::string_view::npos; at = text.find("using ", at)) {
    const std::size_t word = at;
    at += 6;
    const std::string_view before = text.substr(0, word);
    const auto last = before.find_last_not_of(" \t\r\n");
    const bool awaited = before.ends_with("await ");
    const bool begins = last == std::string_view::npos || awaited ||
                        one_of(before.substr(last, 1), {";", "{", "}", "(", "/", ")", ","}) ||
                        before.find('\n', last) != std::string_view::npos;
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) end++;
    const std::string_view name = text.substr(at, end - at);
    const auto next = text.find_first_not_of(" :", end);
    const bool declares = next != std::string_view::npos &&
                          (text[next] == '=' || text[end] == ':' || text.substr(next, 3) == "of ");
    if (name.empty() || !begins || !declares || one_of(name, {"of", "in"})) continue;
    out.replace(word, 5, "const");
    if (awaited) out.replace(word - 6, 6, "      ");
  }
  return out;
}

}  // namespace

class AstBuilder {
 public:
  explicit AstBuilder(Ast& ast) : ast_(ast) {}

  void add(const SourceFile& source, TSTree* tree, const Vocabulary& vocabulary) {
    AstFile file;
    file.path = source.path;
    file.text = source.text;
    file.lines = SourceLines(source.text);
    file.root = static_cast<NodeId>(ast_.nodes_.size());
    TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
    convert(cursor, vocabulary, file);
    ts_tree_cursor_delete(&cursor);
    ast_.files_.push_back(std::move(file));
  }

  void add_unread(const SourceFile& source) {
    AstFile file;
    file.path = source.path;
    file.text = source.text;
    file.lines = SourceLines(source.text);
    file.root = static_cast<NodeId>(ast_.nodes_.size());
    ast_.nodes_.push_back({.kind = SyntaxKind::program, .end = file.root + 1});
    ast_.files_.push_back(std::move(file));
  }

 private:
  // Walks the tree in reading order without recursion. Punctuation and comments get no node.
  void convert(TSTreeCursor& cursor, const Vocabulary& vocabulary, AstFile& file) {
    std::vector<NodeId> open;
    for (;;) {
      const NodeId made = append(cursor, vocabulary, open.empty() ? 0 : open.back(), file);
      if (made != 0 && ts_tree_cursor_goto_first_child(&cursor)) {
        open.push_back(made);
        continue;
      }
      if (made != 0) close(made);
      while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
        if (!ts_tree_cursor_goto_parent(&cursor) || open.empty()) return;
        close(open.back());
        open.pop_back();
      }
    }
  }

  NodeId append(TSTreeCursor& cursor, const Vocabulary& vocabulary, NodeId parent, AstFile& file) {
    const TSNode node = ts_tree_cursor_current_node(&cursor);
    const SyntaxKind kind = vocabulary.kind(node);
    const std::uint32_t start = ts_node_start_byte(node);
    const std::uint32_t end = ts_node_end_byte(node);
    if (kind == SyntaxKind::comment) {
      file.comments.push_back(
          {ts_node_start_point(node).row + 1, file.text.substr(start, end - start)});
      return 0;
    }
    if (kind == SyntaxKind::error || ts_node_is_missing(node))
      note_unparsed(file, ts_node_start_point(node).row + 1, ts_node_end_point(node).row + 1);
    const TSFieldId field_id = ts_tree_cursor_current_field_id(&cursor);
    const bool punctuation = kind == SyntaxKind::other && !ts_node_is_named(node);
    if (punctuation && parent != 0) return 0;
    const auto id = static_cast<NodeId>(ast_.nodes_.size());
    ast_.nodes_.push_back({.kind = kind,
                           .field = vocabulary.fields[field_id],
                           .parent = parent,
                           .end = id + 1,
                           .start_byte = start,
                           .end_byte = end});
    return id;
  }

  void close(NodeId node) { ast_.nodes_[node].end = static_cast<NodeId>(ast_.nodes_.size()); }

  static void note_unparsed(AstFile& file, std::uint32_t first, std::uint32_t last) {
    if (!file.unparsed.empty() && first <= file.unparsed.back().last + 1)
      file.unparsed.back().last = std::max(file.unparsed.back().last, last);
    else
      file.unparsed.push_back({first, last});
  }

  Ast& ast_;
};

Parsed parse_sources(const std::vector<SourceFile>& files) {
  static const Vocabulary vocabularies[] = {Vocabulary(tree_sitter_javascript()),
                                            Vocabulary(tree_sitter_typescript()),
                                            Vocabulary(tree_sitter_tsx())};
  const std::unique_ptr<TSParser, void (*)(TSParser*)> parser(ts_parser_new(), ts_parser_delete);
  ts_parser_set_timeout_micros(parser.get(), patience_us);
  Parsed parsed;
  AstBuilder builder(parsed.ast);
  for (const SourceFile& file : files) {
    const TSLanguage* language = language_of(file.path);
    if (leaves_too_much_open(file.text)) {
      parsed.failed.push_back(file.path);
      builder.add_unread(file);
      continue;
    }
    ts_parser_reset(parser.get());
    ts_parser_set_language(parser.get(), language);
    const std::string known = with_using_as_const(file.text);
    const std::unique_ptr<TSTree, void (*)(TSTree*)> tree(
        ts_parser_parse_string(parser.get(), nullptr, known.data(),
                               static_cast<std::uint32_t>(known.size())),
        ts_tree_delete);
    if (!tree) {
      parsed.failed.push_back(file.path);
      builder.add_unread(file);
      continue;
    }
    for (const Vocabulary& vocabulary : vocabularies) {
      if (vocabulary.language == language) builder.add(file, tree.get(), vocabulary);
    }
  }
  return parsed;
}

}  // namespace ebbtide
