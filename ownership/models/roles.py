"""The two groups of accounts."""

TEAM_LEADS, VIEWERS = "Team leads", "Viewers"
