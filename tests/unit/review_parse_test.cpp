// The syntax tree, names and modules that the rules stand on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/review/classes.h"
#include "analysis/review/modules.h"
#include "analysis/review/parse.h"
#include "analysis/review/scopes.h"

namespace ebbtide {
namespace {

using testing::ElementsAre;

NodeId find_text(const Ast& ast, SyntaxKind kind, std::string_view text, int which = 0) {
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is(node, kind) && ast.text(node) == text && which-- == 0) return node;
  }
  return 0;
}

TEST(ReviewParse, ASubtreeIsAStretchOfNodesInReadingOrder) {
  const std::vector<SourceFile> files = {{"a.js", "f(1, g(2));\nh();"}};
  const Parsed parsed = parse_sources(files);
  const Ast& ast = parsed.ast;
  const NodeId outer = find_text(ast, SyntaxKind::call_expression, "f(1, g(2))");
  const NodeId inner = find_text(ast, SyntaxKind::call_expression, "g(2)");
  const NodeId later = find_text(ast, SyntaxKind::call_expression, "h()");
  EXPECT_TRUE(ast.contains(outer, inner));
  EXPECT_FALSE(ast.contains(outer, later));
  EXPECT_EQ(arguments_of(ast, outer).size(), 2u);
  EXPECT_EQ(ast.range(later), (SourceRange{2, 1, 2, 4}));
}

TEST(ReviewParse, TellsTheLinesItCouldNotRead) {
  const std::vector<SourceFile> files = {
      {"a.js", "const a = 1;\nconst = ) oops (;\nconst b = 2;\n"}};
  const Parsed parsed = parse_sources(files);
  ASSERT_FALSE(parsed.ast.files().front().unparsed.empty());
  EXPECT_EQ(parsed.ast.files().front().unparsed.front().first, 2u);
}

TEST(ReviewScopes, ANameIsTheInnermostDeclarationInSight) {
  const std::vector<SourceFile> files = {
      {"a.js", "let x = 1; function f(x) { { let x = 2; use(x); } take(x); } see(x);"}};
  const Parsed parsed = parse_sources(files);
  const Ast& ast = parsed.ast;
  const Scopes scopes(ast);
  std::vector<NodeId> declared;
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is(ast.parent(node), SyntaxKind::arguments))
      declared.push_back(scopes.declaration_of(node));
  }
  ASSERT_EQ(declared.size(), 3u);
  EXPECT_EQ(ast.text(scopes.binding(declared[0]).value), "2");
  EXPECT_EQ(scopes.binding(declared[1]).kind, BindingKind::parameter);
  EXPECT_EQ(ast.text(scopes.binding(declared[2]).value), "1");
}

TEST(ReviewScopes, DestructuringRemembersTheWay) {
  const std::vector<SourceFile> files = {
      {"a.js", "const { a: { b }, c = 1 } = v; const [, d] = w;"}};
  const Parsed parsed = parse_sources(files);
  const Scopes scopes(parsed.ast);
  std::vector<std::string> paths;
  for (NodeId node = 1; node < parsed.ast.size(); node++) {
    if (scopes.bindings().contains(node)) paths.push_back(scopes.binding(node).path);
  }
  EXPECT_THAT(paths, ElementsAre(".a.b", ".c", "[1]"));
}

TEST(ReviewModules, FollowsRelativePathsIndexFilesAndTsconfigPaths) {
  const std::vector<SourceFile> files = {
      {"app/hub.ts", "export const hub = 1;"},
      {"app/lib/index.ts", "export { hub as centre } from '../hub.js';"},
      {"server.ts", "import { centre } from '@/lib'; import fs from 'node:fs'; use(centre, fs);"}};
  const auto mapping = read_path_mapping(
      "tsconfig.json",
      "{ // here\n \"compilerOptions\": { \"paths\": { \"@/*\": [\"app/*\"], } } }");
  ASSERT_TRUE(mapping.has_value());
  const Parsed parsed = parse_sources(files);
  const Scopes scopes(parsed.ast);
  const std::vector<PathMapping> mappings{*mapping};
  const Modules modules(parsed.ast, scopes, mappings);
  const NodeId centre = find_text(parsed.ast, SyntaxKind::identifier, "centre", 2);
  const ImportTarget target = modules.imported(scopes.declaration_of(centre));
  EXPECT_EQ(parsed.ast.files()[parsed.ast.file_of(target.node)].path, "app/hub.ts");
  const NodeId fs = find_text(parsed.ast, SyntaxKind::identifier, "fs", 1);
  EXPECT_EQ(modules.imported(scopes.declaration_of(fs)).package, "fs");
}

}  // namespace
}  // namespace ebbtide
