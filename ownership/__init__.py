"""The ownership registry: which service owns, reads and writes which DynamoDB table.

Modules import only downward along the way the data takes::

    fixtures/ ── seed ──► models ◄── admin            people edit in the admin, and only there
                            │  every write makes history rows, tied to one change set
                            ▼
                         history ──► timeline, feed   who changed what, when, why
                            │    └─► undo, verify     taking it back, and proof that it is whole
                            ▼
                       map, past                      the whole map, now or as of a revision
                            │
                            ▼
                     api (/api/v1/)                   read-only, for programs
                     pages (/)                        to look at, for people

``drift`` stands beside it: it compares a map with what infrastructure permits, without Django or database.
"""
