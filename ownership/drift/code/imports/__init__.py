"""Which file an import means.

::

    ./db, ../lib/db.js             a file beside the importing one: .ts, .js, … or a folder's index
    @shop/db, lib/db               TypeScript's paths, a package of the same repository, a layer (/opt/nodejs/db)
    from shared.db import get      Python: below the function's folder, a layer, or any folder around the file

Anything else is a package, and is not read. Source: Node.js documentation, "Modules"; TypeScript documentation,
"Module resolution"; Python documentation, "The import system"; AWS Lambda Developer Guide, "Layers".
"""

from ownership.drift.code.imports.finding import Imports

__all__ = ["Imports"]
