// Answers: what does the reviewer say of a source written in a test?
#pragma once

#include <string>
#include <vector>

#include "analysis/review/review.h"

namespace ebbtide {

inline Review review_of(const std::string& text, const std::string& path = "server.js") {
  return review_files({{path, text}});
}

// "LC001:4" for each finding, in order.
inline std::vector<std::string> findings_of(const Review& review) {
  std::vector<std::string> all;
  for (const ReviewFinding& finding : review.findings)
    all.push_back(finding.rule + ":" + std::to_string(finding.at.range.line));
  return all;
}

// A ws server with nothing to complain of but what `body` does, which begins on line 4.
inline std::string ws_server(const std::string& body) {
  return "const { WebSocketServer } = require('ws');\n"
         "const clients = new Map();\n"
         "new WebSocketServer({ port: 1, maxPayload: 9 }).on('connection', (ws, req) => {\n" +
         body + "\n  ws.on('error', () => {});\n});\nfunction keepAlive(ws) { ws.ping(); }\n";
}

}  // namespace ebbtide
