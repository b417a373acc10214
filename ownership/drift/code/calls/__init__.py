"""What calling something does: functions, classes, methods of the language and the SDKs, and what isn't read.

A package's function may call the functions that are handed to it, at once or later: ``retry(() => db.get(id))``,
``app.get("/users", list)``. So they are called with unknown arguments, and what the package's function gives holds
them: calling that, or a method of it, calls them again. Modules that only hand them over don't call them.
"""

from ownership.drift.code.calls.base import CallSite
from ownership.drift.code.calls.packages import MAX_CLASSES
from ownership.drift.code.calls.values import Calls

__all__ = ["MAX_CLASSES", "CallSite", "Calls"]
