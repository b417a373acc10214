"""JavaScript and TypeScript as ``syntax``, by tree-sitter's grammars. Types are left out, but for class names.

Source: the grammars' node types (tree-sitter-javascript and tree-sitter-typescript, ``src/node-types.json``).
"""

from functools import cache

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Parser

from ownership.drift.code import syntax
from ownership.drift.code.javascript.statements import JavaScriptStatements


@cache
def _parser(suffix: str) -> Parser:
    if suffix in (".ts", ".mts", ".cts"):
        grammar = tree_sitter_typescript.language_typescript()
    elif suffix == ".tsx":
        grammar = tree_sitter_typescript.language_tsx()
    else:
        grammar = tree_sitter_javascript.language()
    return Parser(Language(grammar))


def parse(text: bytes, file: str, suffix: str) -> syntax.Module:
    """The module in a file. What can't be parsed is in ``module.unread``."""
    tree = _parser(suffix).parse(text)
    module = syntax.Module(file, "javascript")
    JavaScriptStatements(module, text).build(tree.root_node)
    return module
