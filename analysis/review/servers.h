// Answers: where do connections come in? Each server found, the function that gets its connections,
// and the name the connection has there.
#pragma once

#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/library_facts.h"
#include "analysis/review/modules.h"
#include "analysis/review/values.h"

namespace ebbtide {

struct ServerEntry {
  Library library = Library::unknown;
  NodeId registration = 0;        // the call that hands the handler over, or the class of a gateway
  NodeId server = 0;              // the expression it is called on; 0 for a gateway
  NodeId handler = 0;             // function
  NodeId connection = 0;          // declared name; 0 when the handler does not name it
  bool is_close_handler = false;  // behaviours of uWebSockets.js and gateways name the moment
  bool is_message_handler = false;
};

struct UpgradeEntry {
  NodeId registration = 0;
  NodeId handler = 0;
  NodeId socket = 0;  // declared name
};

struct Servers {
  std::vector<ServerEntry> entries;
  std::vector<UpgradeEntry> upgrades;
  std::vector<NodeId> makers;  // `new WebSocketServer(…)` and the like
};

// Whether any name in these files gives a reason to look closer: most files of a tree have none.
bool may_serve_connections(const Ast& ast, const Modules& modules);

Servers find_servers(const Ast& ast, const Scopes& scopes, const Classes& classes,
                     const Modules& modules, Values& values);

}  // namespace ebbtide
