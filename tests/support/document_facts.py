"""What the table ownership map states, as plain data, written down apart from the fixture.

The fixture is held to this by tests/exchange/test_seed.py. Where the document shows a heading that names several
tables, there is one entry per table; "Read + Write" is ``read_write``, and "(indirect)" a flag of its own.
"""

GROUPS = [
    "Core Tables",
    "Companion & Gamification Tables",
    "Event Feedback Table",
    "Connection & Real-Time Tables",
    "BTX Tables",
    "Partnerships Tables",
    "Instagram Table",
]

# Name → suffix.
ENVIRONMENTS = {"dev": "", "staging": "", "production": "PROD"}

# Name → the service that it is part of; by first appearance.
SERVICES = {
    "users": None,
    "payments": None,
    "registrations": None,
    "members": None,
    "transactions": None,
    "events": None,
    "partnerships": None,
    "interactions": None,
    "profiles": None,
    "bots": None,
    "teams": "interactions",
    "btx": None,
    "qr": "interactions",
    "quests": "interactions",
    "quizzes": "interactions",
    "investments": "interactions",
    "prizes": None,
    "connections": "interactions",
    "instagram": None,
}

_CORE, _COMPANION, _FEEDBACK, _REAL_TIME, _BTX, _PARTNERSHIPS, _INSTAGRAM = GROUPS
_JUDGING = "Judging and voting system tables."

# Name, group, owner, description, partition key (name, format), sort key; in the document's order.
TABLES = [
    ("biztechUsers", _CORE, "users", "User accounts.", ("id", "email"), None),
    ("biztechEvents", _CORE, "events", "Events.", ("id", None), "year"),
    (
        "biztechRegistrations",
        _CORE,
        "registrations",
        "Event registrations.",
        ("id", "email"),
        "eventID;year",
    ),
    ("biztechMembers2026", _CORE, "members", "Club members.", ("id", "email"), None),
    (
        "biztechProfiles",
        _CORE,
        "profiles",
        "Profiles and connections.",
        ("id", "PROFILE#<id>"),
        "eventID;year",
    ),
    ("biztechTeams", _COMPANION, "teams", "Teams per event.", ("eventID;year", None), "id"),
    ("biztechQRs", _COMPANION, "qr", "QR codes per event.", ("eventID;year", None), "id"),
    ("biztechQuests", _COMPANION, "quests", "Quest progress.", ("id", "email"), "eventID;year"),
    ("biztechQuizzes", _COMPANION, "quizzes", "Quiz results.", ("id", None), "eventID;year"),
    (
        "biztechInvestments",
        _COMPANION,
        "investments",
        "Kickstart investments.",
        ("id", "UUID"),
        "eventID;year",
    ),
    ("biztechPrizes", _COMPANION, "prizes", "Prize catalog.", ("id", None), None),
    ("biztechTransactions", _COMPANION, "transactions", "Credit ledger.", ("id", "UUID"), None),
    ("biztechEventFeedback", _FEEDBACK, "events", "Feedback submissions.", ("id", "UUID"), None),
    ("bizConnections", _REAL_TIME, "connections", "Legacy connection records.", None, None),
    (
        "bizWallSockets",
        _REAL_TIME,
        "interactions",
        "WebSocket connections for the live connection wall.",
        None,
        None,
    ),
    (
        "bizLiveConnections",
        _REAL_TIME,
        "interactions",
        "Recent connections for wall animation (with TTL).",
        None,
        None,
    ),
    ("bizSockets", _REAL_TIME, "interactions", _JUDGING, None, None),
    ("bizStickers", _REAL_TIME, "interactions", _JUDGING, None, None),
    ("bizScores", _REAL_TIME, "interactions", _JUDGING, None, None),
    ("bizFeedback", _REAL_TIME, "interactions", _JUDGING, None, None),
    ("bizJudge", _REAL_TIME, "interactions", _JUDGING, None, None),
    ("bizBtxProjects", _BTX, "btx", "", None, None),
    ("bizBtxAccounts", _BTX, "btx", "", None, None),
    ("bizBtxHoldings", _BTX, "btx", "", None, None),
    ("bizBtxTrades", _BTX, "btx", "", None, None),
    ("bizBtxPrices", _BTX, "btx", "", None, None),
    (
        "bizBtxSockets",
        _BTX,
        "btx",
        "WebSocket connections for real-time price updates.",
        None,
        None,
    ),
    ("biztechPartners", _PARTNERSHIPS, "partnerships", "", None, None),
    ("biztechPartnerEventLinks", _PARTNERSHIPS, "partnerships", "", None, None),
    ("biztechPartnershipEvents", _PARTNERSHIPS, "partnerships", "", None, None),
    ("biztechPartnerDocuments", _PARTNERSHIPS, "partnerships", "", None, None),
    ("biztechPartnerCommunications", _PARTNERSHIPS, "partnerships", "", None, None),
    ("biztechPartnershipsMeta", _PARTNERSHIPS, "partnerships", "", None, None),
    (
        "biztechInstagramAuth",
        _INSTAGRAM,
        "instagram",
        "Single-record table storing the Instagram access token.",
        None,
        None,
    ),
]

# Table, index, kind: known only from the notes; their keys are not stated.
INDEXES = [
    ("biztechRegistrations", "event-query", "GSI"),
    ("biztechEventFeedback", "event-form-query", "GSI"),
]

_JUDGING_ROW = "Judging portal real-time features"

# Table, service, mode, indirect, notes; a table's rows in the document's order.
ACCESSES = [
    ("biztechUsers", "users", "read_write", False, "Owner. CRUD for user records"),
    (
        "biztechUsers",
        "payments",
        "read_write",
        False,
        "Reads isMember for pricing tier; writes on membership payment",
    ),
    ("biztechUsers", "registrations", "read", False, "Reads user data for email sending"),
    ("biztechUsers", "members", "write", False, "grantMembership sets isMember: true"),
    (
        "biztechUsers",
        "transactions",
        "read",
        False,
        "Validates user existence before creating transaction",
    ),
    ("biztechEvents", "events", "read_write", False, "Owner. CRUD, feedback config"),
    (
        "biztechEvents",
        "registrations",
        "read",
        False,
        "Reads event for capacity check and email details",
    ),
    ("biztechEvents", "payments", "read", False, "Reads pricing for checkout session"),
    ("biztechEvents", "users", "read", False, "Reads for favourite event validation"),
    ("biztechEvents", "partnerships", "read", False, "Reads event names for link hydration"),
    ("biztechEvents", "interactions", "read", False, "Reads event dates for connection filtering"),
    (
        "biztechRegistrations",
        "registrations",
        "read_write",
        False,
        "Owner. Create, update, delete registrations",
    ),
    (
        "biztechRegistrations",
        "payments",
        "read_write",
        False,
        "Reads for event payment; writes registrationStatus via webhook",
    ),
    ("biztechRegistrations", "events", "read", False, "Counts registrations via GSI event-query"),
    (
        "biztechRegistrations",
        "profiles",
        "read_write",
        False,
        "syncPartnerData reads/writes registration data",
    ),
    ("biztechMembers2026", "members", "read_write", False, "Owner. CRUD for member records"),
    (
        "biztechMembers2026",
        "payments",
        "write",
        False,
        "Creates member record on membership payment",
    ),
    (
        "biztechMembers2026",
        "profiles",
        "read_write",
        False,
        "Reads member for profile creation; writes profileID",
    ),
    (
        "biztechMembers2026",
        "interactions",
        "read",
        False,
        "Looks up profileID for connection handling",
    ),
    (
        "biztechMembers2026",
        "bots",
        "read_write",
        False,
        "Discord mapping reads member, writes discordId",
    ),
    ("biztechProfiles", "profiles", "read_write", False, "Owner. Profile CRUD, company profiles"),
    (
        "biztechProfiles",
        "interactions",
        "read_write",
        False,
        "Reads profiles for validation; writes CONNECTION# rows",
    ),
    (
        "biztechProfiles",
        "members",
        "write",
        True,
        "grantMembership calls createProfile() which writes here",
    ),
    (
        "biztechProfiles",
        "payments",
        "write",
        True,
        "Webhook calls createProfile() which writes here",
    ),
    ("biztechTeams", "teams", "read_write", False, "Team CRUD"),
    ("biztechTeams", "btx", "read", False, "Maps teamId → projectId for investment impact"),
    ("biztechQRs", "qr", "read_write", False, "QR code CRUD"),
    (
        "biztechQRs",
        "profiles",
        "write",
        False,
        "Creates QR entry when creating partner/company profiles",
    ),
    ("biztechQuests", "quests", "read_write", False, "Quest completion tracking"),
    ("biztechQuizzes", "quizzes", "read_write", False, "Quiz submission and results"),
    ("biztechInvestments", "investments", "read_write", False, "Investment tracking"),
    ("biztechPrizes", "prizes", "read_write", False, "Prize CRUD"),
    (
        "biztechTransactions",
        "transactions",
        "read_write",
        False,
        "Transaction create, balance queries",
    ),
    (
        "biztechEventFeedback",
        "events",
        "read_write",
        False,
        "Submit and query feedback via GSI event-form-query",
    ),
    ("bizConnections", "connections", "read_write", False, "Legacy connection CRUD"),
    ("bizWallSockets", "interactions", "read_write", False, "Wall WebSocket management"),
    (
        "bizLiveConnections",
        "interactions",
        "read_write",
        False,
        "Logged on each new connection, queried for wall replay",
    ),
    ("bizSockets", "interactions", "read_write", False, _JUDGING_ROW),
    ("bizStickers", "interactions", "read_write", False, _JUDGING_ROW),
    ("bizScores", "interactions", "read_write", False, _JUDGING_ROW),
    ("bizFeedback", "interactions", "read_write", False, _JUDGING_ROW),
    ("bizJudge", "interactions", "read_write", False, _JUDGING_ROW),
    ("biztechInstagramAuth", "instagram", "read_write", False, "Token storage and refresh"),
]

# Tables of which the document says only who owns them.
STATED_OWNERSHIP_ONLY = [
    "bizBtxProjects",
    "bizBtxAccounts",
    "bizBtxHoldings",
    "bizBtxTrades",
    "bizBtxPrices",
    "bizBtxSockets",
    "biztechPartners",
    "biztechPartnerEventLinks",
    "biztechPartnershipEvents",
    "biztechPartnerDocuments",
    "biztechPartnerCommunications",
    "biztechPartnershipsMeta",
]

# Table → title of the page that has the details.
MORE = {
    "bizBtxProjects": "BTX Database & API",
    "bizBtxAccounts": "BTX Database & API",
    "bizBtxHoldings": "BTX Database & API",
    "bizBtxTrades": "BTX Database & API",
    "bizBtxPrices": "BTX Database & API",
    "biztechPartners": "Partnerships Data Model",
    "biztechPartnerEventLinks": "Partnerships Data Model",
    "biztechPartnershipEvents": "Partnerships Data Model",
    "biztechPartnerDocuments": "Partnerships Data Model",
    "biztechPartnerCommunications": "Partnerships Data Model",
    "biztechPartnershipsMeta": "Partnerships Data Model",
}
