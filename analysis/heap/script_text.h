// Answers: where in a script's text does a string, a comment or a regular expression end, and which
// mark comes next? All offsets are bytes; none is beyond the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ebbtide {

bool is_space(char byte);
bool is_word_byte(char byte);  // of names and numbers; every byte of a character beyond ASCII

// Each of what begins at `at`. A string ends with its line at the latest; a regular expression that
// does not end on its line is none.
std::size_t end_of_string(std::string_view text, std::size_t at);
std::size_t end_of_comment(std::string_view text, std::size_t at);
std::optional<std::size_t> end_of_regular_expression(std::string_view text, std::size_t at);

// The first byte from `at` on that is no space; 0 at the end.
char mark_after(std::string_view text, std::size_t at);

// Whether `=`, but not `==` or `=>`, comes next.
bool is_assigned_after(std::string_view text, std::size_t at);

}  // namespace ebbtide
