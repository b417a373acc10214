"""Python as ``syntax``, by its own ``ast``.

Source: Python documentation, "ast: Abstract syntax trees".
"""

import ast
import warnings

from ownership.drift.code import syntax
from ownership.drift.code.python.statements import PythonStatements


def parse(text: str, file: str) -> syntax.Module:
    """The module in a file. What can't be parsed is in ``module.unread``."""
    module = syntax.Module(file, "python")
    module.body = syntax.Function("", 1, [], [], module)
    try:
        with warnings.catch_warnings():
            # Invalid escapes, for example, are none of our business.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        module.unread.append(syntax.Unread(error.lineno or 1, "has a syntax error"))
        return module
    except (RecursionError, MemoryError, ValueError):
        module.unread.append(
            syntax.Unread(1, "can't be parsed: it is nested too deeply, or not text")
        )
        return module
    PythonStatements(module).build(tree)
    return module
