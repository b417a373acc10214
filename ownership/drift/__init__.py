"""Compares what the map declares with what the infrastructure permits and what code does. No Django, no database.

Modules import only upward in this list::

    physical_names       what a table is called in an environment
    types                values: Location, GrantedAccess, Infrastructure, Finding, …
    environment_words    which words mean the environment
    values               what files contain: texts that know their location and their variables
    varying_names        names that have the environment in them
    service_names        which service a folder's, a project's or a role's name means
    given_names          what the files for --tables and --roles say, and what of it was used
    naming               which table and service of the map a physical name means
    role_names           the names of roles in ARNs
    diagnostics          what a reader reports besides grants and tables
    iam                  which DynamoDB actions touch items; policies as IAM evaluates them
    templating           templates that are written in Jinja2, for both kinds of readers
    readers              Serverless Framework, CloudFormation, Terraform, a live endpoint
    registry_client      the map, from a file or the API, and the waivers
    code                 which tables the code of each deployed function uses
    table_pairs          one table as the map states it and as it is deployed
    code_side            what code does with each table
    code_findings        which side of a finding is wrong, and what only code shows
    compare              declared and found, pair by pair; the findings that follow
    verdicts             what verdicts are called, and what people do about each
    iam_changes          what the owners of IAM are to change, as a list and as a patch
    serialization        what a reader found, as JSON and back
    report, report_json  the report as text and as JSON
    source_tree          where the files that a report names lie in their repository
    baseline             what a change adds and settles; commit_files and baseline_reading read a commit's findings
    reported             what the reports for other programs are made of; finding_words what they call findings
    report_…             SARIF, GitHub, GitLab, JUnit
    formats              all forms of a report
    options, command     the command line
"""
