"""The ownership registry: which service owns, reads and writes which DynamoDB table.

Modules import only downward along the way the data takes::

    fixtures/ ── seed ──► models ◄── admin            people edit in the admin, and only there
                            │  every write makes history rows, tied to one change set
                            ▼
                         history ──► timeline         who changed what, when, why
                            │
                        registry_map                  the whole map, built from names
                            │
                            ▼
                     api (/api/v1/)                   read-only, for programs
"""
