// Answers: where in a script's text is a variable, a class or a field declared? A lexical scan,
// no parse: it knows strings, comments, regular expressions, templates, brackets and the words that
// declare; of text that is no JavaScript it makes few declarations and no harm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebbtide {

// A place in a text; lines and columns (of UTF-16 units, as V8 counts) start at 1.
struct TextPlace {
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const TextPlace&) const = default;
};

// A stretch of a script with names of its own: the script, a function with its parameters, a block,
// a class body.
struct LexicalScope {
  enum class Kind : std::uint8_t { script, function, block, class_body };

  Kind kind = Kind::block;
  std::uint32_t parent = 0;  // index; the script's own, 0, is its own parent
  std::uint32_t begin = 0;   // bytes; of a function: where its parameters begin
  std::uint32_t end = 0;
};

struct DeclaredName {
  std::string_view text;
  std::uint32_t offset = 0;  // bytes
  std::uint32_t scope = 0;   // index
};

// What a scan finds, in the order of the text; its names have no scope yet.
struct ScannedText {
  std::vector<LexicalScope> scopes;
  std::vector<DeclaredName> variables;
  std::vector<DeclaredName> hoisted;   // by `var`: to the function around them
  std::vector<DeclaredName> fields;    // of class bodies, and assignments to `this`
  std::vector<DeclaredName> globals;   // assignments to globalThis, global
  std::vector<DeclaredName> exported;  // assignments to exports, module.exports
};

ScannedText scan_script(std::string_view text);

class Declarations {
 public:
  static constexpr std::uint32_t script_scope = 0;

  explicit Declarations(std::string text);
  Declarations(const Declarations&) = delete;  // names are views into the text
  Declarations& operator=(const Declarations&) = delete;

  // The innermost scope around the place; a scope that begins right there is not around it. So the
  // place of a function, which is where its parameters begin, is in the scope that made it.
  [[nodiscard]] std::uint32_t scope_around(TextPlace place) const;

  [[nodiscard]] const LexicalScope& scope(std::uint32_t index) const { return scopes_[index]; }
  [[nodiscard]] bool declares(std::uint32_t scope, std::string_view name) const;

  // Whether nothing but the script runs the scope's code: it exists once.
  [[nodiscard]] bool runs_once(std::uint32_t scope) const;

  // The declaration of `name` in `scope` or the nearest one around it.
  [[nodiscard]] std::optional<TextPlace> variable(std::uint32_t scope, std::string_view name) const;

  // The field `name` ("#x" when private) of the class or constructor function at `place`: declared
  // in its body, or else first assigned to `this` in it.
  [[nodiscard]] std::optional<TextPlace> field(TextPlace place, std::string_view name) const;

  // Where `name` is first assigned as a property of the global object by that object's name.
  [[nodiscard]] std::optional<TextPlace> global(std::string_view name) const;

  // Where `name` is last assigned as a property of `exports`: compilers declare it first.
  [[nodiscard]] std::optional<TextPlace> exported(std::string_view name) const;

  // The text of the last `//# sourceMappingURL=` comment; "" when there is none.
  [[nodiscard]] std::string_view source_map_url() const;

 private:
  [[nodiscard]] std::uint32_t offset_of(TextPlace place) const;
  [[nodiscard]] TextPlace place_of(std::uint32_t offset) const;
  [[nodiscard]] bool inside(std::uint32_t scope, std::uint32_t outer) const;

  std::string text_;
  std::vector<std::uint32_t> lines_;     // where each begins
  std::vector<LexicalScope> scopes_;     // ascending by begin
  std::vector<DeclaredName> variables_;  // these four ascending by text, scope, offset
  std::vector<DeclaredName> fields_;
  std::vector<DeclaredName> globals_;
  std::vector<DeclaredName> exported_;
};

}  // namespace ebbtide
