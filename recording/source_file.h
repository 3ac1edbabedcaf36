// Answers: what did the server's own source say when the run began? Kept whole in the recording, so
// that the code review of a report can be made again from it.
#pragma once

#include <string>

namespace ebbtide {

// One file as it lay on disk: a source file of JavaScript or TypeScript, or a tsconfig.json. The
// path is relative to where the review began; its ending decides the language.
struct SourceFile {
  std::string path;
  std::string text;
  std::string location;  // absolute path on the machine of the run, "" when not known
};

struct UnreadSource {
  std::string path;  // "" for several
  std::string why;   // "binary", "12 more files were not read"
};

}  // namespace ebbtide
