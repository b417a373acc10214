"""Drift: what the map declares beside what the infrastructure permits. No Django, no database.

Modules import only upward in this list::

    model           the words: Place, Access, DeployedTable, Finding, …
    source          YAML and JSON files as values that know their place and their variables
    names           which table and which service of the map a physical name means
    actions, iam    which DynamoDB actions touch items; policies as IAM reads them
    variables       the Serverless Framework's ${…}
    template        CloudFormation's values: intrinsic functions, parameters
    cloudformation  tables and roles of templates; reader of compiled ones
    serverless      reader of Serverless Framework projects
    dynamodb        reader of a live endpoint
    declared        the map, from a file or the API
    compare         declared and granted, as sets
    waivers         findings that the team decided to live with
    stored          what a reader found, as JSON and back
    report, command what people and pipelines see
"""
