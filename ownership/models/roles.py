"""Names of the two groups of accounts: team leads edit, viewers see history."""

TEAM_LEADS = "Team leads"
VIEWERS = "Viewers"
