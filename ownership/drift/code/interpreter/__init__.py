"""Follows calls: interprets functions with the values that are passed to them, until nothing changes.

``Interpreter`` has what all frames share: modules, objects, classes, and the queue of frames that must be
interpreted again. ``evaluation.Evaluation`` interprets the body of one frame.
"""

from ownership.drift.code.interpreter.running import Interpreter

__all__ = ["Interpreter"]
