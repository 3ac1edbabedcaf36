#include <algorithm>
#include <array>

#include "analysis/heap/declarations.h"
#include "analysis/heap/script_text.h"

namespace ebbtide {
namespace {

using Kind = LexicalScope::Kind;
using Words = std::initializer_list<std::string_view>;

constexpr std::size_t deepest_scope = 500;  // deeper ones cost more to look through than they tell

bool one_of(std::string_view word, Words words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// After these words a slash begins a regular expression, not a division.
bool expects_operand(std::string_view word) {
  return one_of(word, {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new",
                       "else", "do", "instanceof", "yield", "await"});
}

struct Token {
  std::string_view text;  // a word, one punctuation mark, "=>", "..."; a literal's first byte
  std::uint32_t offset = 0;
  bool is_word = false;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  ScannedText run() {
    while (at_ < text_.size()) step();
    while (!open_.empty()) close_scope();
    return std::move(found_);
  }

 private:
  // The list of names after const, let or var.
  struct Declaring {
    bool active = false;
    bool hoists = false;
    bool expects_name = false;
  };

  struct Bracket {
    char mark = 0;  // ( [ {, ` for a template's ${, > for an arrow's body that is an expression
    std::uint32_t begin = 0;     // of its scope
    std::optional<Kind> scope;   // none: no scope of its own
    bool pattern = false;        // names in it may be bound: a declaration's or a parameter's
    bool declares = false;       // a declaration's pattern: they are
    bool hoists = false;         // and by `var`
    bool control = false;        // parentheses after if, for, while, …
    bool binds = false;          // of those, after catch
    std::size_t candidates = 0;  // what was in candidates_ before
    Declaring around;            // what was being declared around it
  };

  // Parentheses that were closed: a function's parameters if a body follows.
  struct Parentheses {
    std::uint32_t begin = 0;
    bool control = false;
    std::vector<DeclaredName> names;
  };

  void step();
  void skip_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }
  bool skip_regular_expression();
  void skip_string();
  void skip_template();
  void take_word();
  void take_keyword(const Token& word);
  void take_member(const Token& word);
  void take_name(const Token& word);
  void take_import(const Token& word);
  void take_field(const Token& word);
  void take_punctuation(char mark);
  void take_open(char mark);
  void open_bracket(Bracket bracket);
  [[nodiscard]] bool begins_pattern(Bracket& bracket) const;
  void take_close(char mark);
  void take_arrow();
  void open_brace();
  void close_scope();
  void end_expression_bodies();
  void add_parameters(const std::vector<DeclaredName>& names);

  [[nodiscard]] bool previous_is(std::string_view text) const { return previous_.text == text; }
  [[nodiscard]] bool at_new_line() const { return line_break_; }
  [[nodiscard]] char innermost() const { return open_.empty() ? '\0' : open_.back().mark; }
  DeclaredName name_at(const Token& word) const { return {word.text, word.offset, 0}; }
  void remember(Token token) {
    before_previous_ = previous_;
    previous_ = token;
    line_break_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  ScannedText found_;
  std::vector<Bracket> open_;
  std::vector<DeclaredName> candidates_;
  Token previous_, before_previous_;
  bool line_break_ = true;  // since the previous token
  Parentheses closed_;      // the last ones
  bool annotated_ = false;  // a colon came after them: a type may stand before the body
  Declaring declaring_;
  std::optional<std::uint32_t> arrow_begin_;  // its body's brace comes next
  std::optional<std::size_t> class_;          // its body comes next at this depth
  bool importing_ = false;
  std::optional<Token> import_name_;
};

void Scanner::step() {
  const char byte = text_[at_];
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (is_space(byte)) {
    line_break_ = line_break_ || byte == '\n';
    ++at_;
  } else if (byte == '/' && next == '/') {
    skip_line();
  } else if (byte == '/' && next == '*') {
    at_ = end_of_comment(text_, at_);
  } else if (byte == '/' && skip_regular_expression()) {
    remember({"/", static_cast<std::uint32_t>(at_), false});
  } else if (byte == '"' || byte == '\'') {
    skip_string();
  } else if (byte == '`') {
    ++at_;
    skip_template();
  } else if (is_word_byte(byte) || (byte == '#' && is_word_byte(next))) {
    take_word();
  } else {
    take_punctuation(byte);
  }
}

// Only where an operand is expected.
bool Scanner::skip_regular_expression() {
  const bool operand =
      previous_.text.empty() || (previous_.is_word ? expects_operand(previous_.text)
                                                   : !one_of(previous_.text, {")", "]", "'", "/"}));
  const auto end = operand ? end_of_regular_expression(text_, at_) : std::nullopt;
  at_ = end.value_or(at_);
  return end.has_value();
}

void Scanner::skip_string() {
  const auto begin = static_cast<std::uint32_t>(at_);
  at_ = end_of_string(text_, at_);
  importing_ = false;
  remember({"'", begin, false});
}

// From within a template's text to its end or to the next ${.
void Scanner::skip_template() {
  while (at_ < text_.size() && text_[at_] != '`') {
    if (text_[at_] == '$' && at_ + 1 < text_.size() && text_[at_ + 1] == '{') {
      at_ += 2;
      Bracket substitution;
      substitution.mark = '`';
      open_bracket(substitution);
      remember({"(", static_cast<std::uint32_t>(at_), false});
      return;
    }
    at_ += text_[at_] == '\\' ? 2 : 1;
  }
  at_ = std::min(at_ + 1, text_.size());
  remember({"'", static_cast<std::uint32_t>(at_), false});
}

void Scanner::take_word() {
  const std::size_t begin = at_++;
  while (at_ < text_.size() && is_word_byte(text_[at_])) ++at_;
  const Token word{text_.substr(begin, at_ - begin), static_cast<std::uint32_t>(begin), true};
  const bool member = previous_is(".");
  if (member) {
    take_member(word);
  } else if (importing_) {
    take_import(word);
  } else {
    take_field(word);
    take_keyword(word);
  }
  remember(word);
}

void Scanner::take_member(const Token& word) {
  if (!is_assigned_after(text_, at_)) return;
  if (before_previous_.text == "this") found_.fields.push_back(name_at(word));
  if (one_of(before_previous_.text, {"globalThis", "global"})) {
    found_.globals.push_back(name_at(word));
  }
  if (before_previous_.text == "exports") found_.exported.push_back(name_at(word));
}

void Scanner::take_import(const Token& word) {
  if (word.text == "as") {
    import_name_.reset();
    return;
  }
  if (word.text == "from" || word.text == "type") return;
  import_name_ = word;
  const char mark = mark_after(text_, at_);
  const bool renamed = text_.substr(at_).starts_with(" as ");
  if (!renamed && (mark == ',' || mark == '}' || mark == 'f' || mark == '=')) {
    found_.variables.push_back(name_at(word));
  }
}

void Scanner::take_field(const Token& word) {
  if (open_.empty() || open_.back().scope != Kind::class_body) return;
  const bool begins =
      one_of(previous_.text, {"{", ";", "}", "static", "readonly", "private", "public", "protected",
                              "declare", "accessor"}) ||
      (at_new_line() && (previous_.is_word || one_of(previous_.text, {")", "]", "'"})));
  const char mark = mark_after(text_, at_);
  const bool ends = is_assigned_after(text_, at_) || mark == ';' || mark == '}' || mark == ':' ||
                    mark == '!' || mark == '?';
  if (begins && ends) found_.fields.push_back(name_at(word));
}

void Scanner::take_keyword(const Token& word) {
  const bool statement =
      one_of(word.text, {"const", "let", "var", "function", "class", "import", "export", "if",
                         "for", "while", "return", "switch", "throw", "try"});
  if (!statement) return take_name(word);
  if (at_new_line()) end_expression_bodies();
  if (one_of(word.text, {"const", "let", "var"})) {
    declaring_ = {true, word.text == "var", true};
  } else if (word.text == "class") {
    class_ = open_.size();
  } else if (word.text == "import" && mark_after(text_, at_) != '(' &&
             mark_after(text_, at_) != '.') {
    importing_ = true;
  }
}

void Scanner::take_name(const Token& word) {
  const bool function_name =
      previous_is("function") || (previous_is("*") && before_previous_.text == "function");
  const bool class_name = previous_is("class") && word.text != "extends";
  if (function_name || class_name) {
    found_.variables.push_back(name_at(word));
    return;
  }
  if (declaring_.active && declaring_.expects_name) {
    (declaring_.hoists ? found_.hoisted : found_.variables).push_back(name_at(word));
    declaring_.expects_name = false;
    return;
  }
  if (open_.empty() || !open_.back().pattern) return;
  const Bracket& bracket = open_.back();
  const bool bound = bracket.mark == '(' ? one_of(previous_.text, {"(", ",", "..."})
                                         : one_of(previous_.text, {"{", "[", ",", "...", ":"}) &&
                                               mark_after(text_, at_) != ':';
  if (!bound) return;
  if (bracket.declares) {
    (bracket.hoists ? found_.hoisted : found_.variables).push_back(name_at(word));
  } else {
    candidates_.push_back(name_at(word));
  }
}

void Scanner::take_punctuation(char mark) {
  const auto begin = static_cast<std::uint32_t>(at_);
  const std::string_view rest = text_.substr(at_);
  if (rest.starts_with("=>")) {
    at_ += 2;
    take_arrow();
    remember({rest.substr(0, 2), begin, false});
    return;
  }
  if (rest.starts_with("...")) {
    at_ += 3;
    remember({rest.substr(0, 3), begin, false});
    return;
  }
  ++at_;
  if (mark == '(' || mark == '[' || mark == '{') {
    take_open(mark);
  } else if (mark == ')' || mark == ']' || mark == '}') {
    take_close(mark);
  } else if (mark == ',' || mark == ';') {
    if (innermost() == '>') end_expression_bodies();
    if (mark == ';') declaring_.active = importing_ = annotated_ = false;
    if (declaring_.active) declaring_.expects_name = true;
  } else if (mark == ':' && previous_is(")")) {
    annotated_ = true;
  } else if (mark == '=' || mark == '?') {
    annotated_ = false;
    declaring_.expects_name = false;
  }
  remember({rest.substr(0, 1), begin, false});
}

void Scanner::add_parameters(const std::vector<DeclaredName>& names) {
  found_.variables.insert(found_.variables.end(), names.begin(), names.end());
}

void Scanner::take_arrow() {
  const bool listed = previous_is(")") || annotated_;
  const std::uint32_t begin = listed ? closed_.begin : previous_.offset;
  if (listed) {
    add_parameters(closed_.names);
  } else if (previous_.is_word) {
    found_.variables.push_back(name_at(previous_));
  }
  annotated_ = false;
  if (mark_after(text_, at_) == '{') {
    arrow_begin_ = begin;
    return;
  }
  Bracket body;
  body.mark = '>';
  body.begin = begin;
  body.scope = Kind::function;
  open_bracket(body);
}

void Scanner::open_bracket(Bracket bracket) {
  bracket.candidates = candidates_.size();
  bracket.around = declaring_;
  if (open_.size() >= deepest_scope) bracket.scope.reset();
  declaring_ = {};
  open_.push_back(bracket);
}

// Whether names in this bracket are bound: it stands where a declaration's name may stand, or in
// such a pattern, or among what may be a function's parameters.
bool Scanner::begins_pattern(Bracket& bracket) const {
  if (declaring_.active && declaring_.expects_name) {
    bracket.declares = true;
    bracket.hoists = declaring_.hoists;
    return true;
  }
  if (open_.empty() || !open_.back().pattern ||
      !one_of(previous_.text, {"(", "[", "{", ",", ":", "..."})) {
    return false;
  }
  bracket.declares = open_.back().declares;
  bracket.hoists = open_.back().hoists;
  return true;
}

void Scanner::take_open(char mark) {
  if (mark == '{' && !importing_) return open_brace();
  Bracket bracket;
  bracket.mark = mark;
  if (mark == '(') {
    bracket.pattern = true;
    bracket.begin = static_cast<std::uint32_t>(at_ - 1);
    bracket.binds = previous_is("catch");
    bracket.control =
        one_of(previous_.text, {"if", "for", "while", "switch", "with", "catch", "await"});
  } else {
    bracket.pattern = begins_pattern(bracket);
    if (bracket.declares) declaring_.expects_name = false;
  }
  open_bracket(bracket);
}

void Scanner::open_brace() {
  Bracket bracket;
  bracket.mark = '{';
  bracket.begin = static_cast<std::uint32_t>(at_ - 1);
  if (arrow_begin_) {
    bracket.scope = Kind::function;
    bracket.begin = *arrow_begin_;
    arrow_begin_.reset();
  } else if (class_ && *class_ == open_.size()) {
    bracket.scope = Kind::class_body;
    class_.reset();
  } else if (previous_is(")") || annotated_) {
    bracket.scope = closed_.control ? Kind::block : Kind::function;
    bracket.begin = closed_.begin;
    add_parameters(closed_.names);
    annotated_ = false;
  } else {
    bracket.pattern = begins_pattern(bracket);
    if (bracket.declares) declaring_.expects_name = false;
    if (!bracket.pattern) bracket.scope = Kind::block;
  }
  open_bracket(bracket);
}

void Scanner::close_scope() {
  const Bracket& bracket = open_.back();
  if (bracket.scope) {
    found_.scopes.push_back({*bracket.scope, 0, bracket.begin, static_cast<std::uint32_t>(at_)});
  }
  declaring_ = bracket.around;
  open_.pop_back();
}

void Scanner::end_expression_bodies() {
  while (innermost() == '>') close_scope();
}

void Scanner::take_close(char mark) {
  end_expression_bodies();
  if (open_.empty()) return;
  const Bracket bracket = open_.back();
  const char opened = mark == ')' ? '(' : mark == ']' ? '[' : '{';
  if (bracket.mark != opened && !(mark == '}' && bracket.mark == '`')) return;  // no JavaScript
  if (mark == ')') {
    closed_ = {bracket.begin, bracket.control, {}};
    if (!bracket.control || bracket.binds) {
      closed_.names.assign(candidates_.begin() + static_cast<std::ptrdiff_t>(bracket.candidates),
                           candidates_.end());
    }
    annotated_ = false;
  }
  if (!bracket.pattern || mark == ')') candidates_.resize(bracket.candidates);
  close_scope();
  if (bracket.mark == '`') skip_template();
}

}  // namespace

ScannedText scan_script(std::string_view text) { return Scanner(text).run(); }

}  // namespace ebbtide
