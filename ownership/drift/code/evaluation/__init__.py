"""Interprets the body of one frame: its statements in order, with what each variable may be at that point.

Both branches of a condition are interpreted and then joined; what follows a ``return`` isn't reached. The body of
a loop is interpreted twice, so that it sees what it assigned itself. Variables that other functions assign, too,
are read from their cells, where all that they may ever be comes together.
"""

from ownership.drift.code.evaluation.statements import Evaluation

__all__ = ["Evaluation"]
