// Answers: how does text that the target controls (command lines, thread names, error messages,
// symbols) get into Markdown without acting as Markdown, HTML, a link or a terminal command?
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ebbtide {

// Valid UTF-8 in one line: broken bytes, control characters and those that turn the direction of
// writing become U+FFFD, line breaks and tabs a space; cut after `most` characters with an
// ellipsis.
std::string clean_text(std::string_view text, std::size_t most = 200);

// For a sentence: whatever Markdown, HTML or GitHub (mentions, issues, links, math) would act on is
// escaped with a backslash or an entity.
std::string prose(std::string_view text);

// For text to be read literally: a code span whose fence no text can close.
std::string code_span(std::string_view text, std::size_t most = 200);

// The same in a table's cell, where no escape for a pipe is read alike by all readers: it becomes
// a broken bar.
std::string cell_code(std::string_view text, std::size_t most = 80);

// Lines of literal text, none of which can end the block. Ends with a line break.
std::string code_block(std::string_view text, std::string_view language = "");

}  // namespace ebbtide
