"""Finds which tables the code of each deployed function uses. Nothing of what is read is run.

A handler that calls ``db.create(item, USERS_TABLE)``, where ``db`` is a wrapper in another folder, gives
``users write biztechUsers`` with the way from the handler to the call of DynamoDB, and both lines.

Rooms, from files to accesses::

    deployment/        which functions infrastructure deploys: handler, folder, environment; serverless.ts
    sources            the files below the given folders: which are read, which are passed over, and why
    imports/           which file an import means
    javascript/        front ends, one for each language: a file becomes a module of ``syntax``
    python/
    syntax/, scopes    the small common representation: modules, functions, statements, expressions
    possibilities      what an expression may be: texts, objects, functions, clients of DynamoDB, …
    values             sets of these: what is known of a value
    interpreter/       what all frames share: cells, objects, modules, classes; runs until nothing changes
    evaluation/        one frame's body: statements and expressions
    calls/             what calling something does: functions, constructors, packages
    language/          built-in functions and methods of both languages
    dynamodb/          the SDKs: which call is which operation, and where it names its table
    reader/            all of it together: the accesses of each function, and what is unresolved
    report             the result as text and as JSON

One call, from handler to access. serverless.yml has ``create: {handler: users.create, environment: {TABLE: users}}``,
users.js has ``exports.create = (event) => db.put(event.body, process.env.TABLE)``, and lib/db.js has
``put(Item, TableName) { return client.send(new PutCommand({ TableName, Item })); }``.

1. ``deployment.serverless`` finds the function, and ``deployment.handlers`` its file: an ``EntryPoint``.
2. ``reader.reading`` starts it: a frame that calls ``create`` with an unknown event. ``interpreter.modules`` runs
   users.js for that, and ``javascript.parse`` turns the file into ``syntax``.
3. ``evaluation.expressions`` evaluates the body: ``process.env.TABLE`` is a text with an environment variable in it,
   ``db`` what lib/db.js exports (``imports.find``), and ``db.put`` its function (``interpreter.members``).
4. ``calls.values`` calls it; ``interpreter.frames_of_calls`` makes a frame of ``put`` with exactly these arguments.
5. In that frame ``dynamodb.clients`` makes a command, and ``send`` records a ``TableUse`` (``dynamodb.uses``):
   PutItem on the text, which users.js named.
6. ``reader.collecting`` goes through the frames that ``create`` reaches, puts ``users`` in place of the variable
   (``reader.texts``), and makes it an access: ``create`` writes ``users`` by way of lib/db.js, with both lines.

Of classes that are spread over several files, ``base`` or ``builder`` has what all share, and each file adds a
subject to the one before; the last one is used.

How calls are followed. A function is interpreted once for each combination of arguments (a *frame*), so a wrapper
needs no description: ``create(item, table)`` interpreted with ``biztechUsers`` writes ``biztechUsers``. Texts keep
environment variables as such, for the same code runs with other values in another function; they are replaced
when a handler's calls are collected. Frames read cells (variables, properties, results), and are interpreted again
when a cell that they read gets another value, until nothing changes. All of this has limits, and what lies beyond
them is reported as unresolved.

Conditions are not evaluated, except comparisons of constants: both branches count.
"""
