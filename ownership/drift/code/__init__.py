"""Finds which tables the code of each deployed function uses. Nothing of what is read is run.

A handler that calls ``db.create(item, USERS_TABLE)``, where ``db`` is a wrapper in another folder, gives
``users write biztechUsers`` with the way from the handler to the call of DynamoDB, and both lines.

From files to accesses::

    entry_points           which functions infrastructure deploys: handler, folder, environment variables
    templating             CloudFormation templates that are written in Jinja2: template_rendering has their
                           statements, template_expressions what is in them
    sources                the files below the given folders: which are read, which are passed over, and why
    imports                which file an import means
    javascript, python     one front end per language: a file becomes a module of ``syntax``
    syntax                 the small common representation: modules, functions, statements, expressions
    values                 what an expression may be: texts, objects, functions, clients of DynamoDB, …
    interpreter            follows the calls from each handler with the values that they pass on
    language               built-in functions of both languages
    dynamodb               the SDKs: which call is which operation, and where it names its table
    derived                pieces of texts whose environment variables are known by now
    partiql                the tables that a PartiQL statement names
    reader                 all of it together: the accesses of each function, and what is unresolved
    report                 the result as text and as JSON

How calls are followed. A function is interpreted once for each combination of arguments (a *frame*), so a wrapper
needs no description: ``create(item, table)`` interpreted with ``biztechUsers`` writes ``biztechUsers``. Texts keep
environment variables as such, for the same code runs with other values in another function; they are replaced
when a handler's calls are collected. Frames read cells (variables, properties, results), and are interpreted again
when a cell that they read gets another value, until nothing changes. All of this has limits, and what lies beyond
them is reported as unresolved.

Conditions are not evaluated, except comparisons of constants: both branches count.
"""
