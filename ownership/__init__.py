"""The ownership registry: which service owns, reads and writes which DynamoDB table.

One Django application in rooms. A room imports from the rooms below it alone (checked by import-linter)::

    management                   commands
    operations                   set-up after migrate, backup, metrics
    admin    api    pages        the three faces; none imports another
    web                          what a request passes before its view
    exchange   findings          files in and out; drift beside the map
    catalog                      reading the map
    plans                        changes shown before they are written
    audit                        reading history
    models                       the map and its rules
    history                      change sets, entries, time travel
    drift                        comparing a map with infrastructure; no Django

docs/architecture.md says more.
"""
