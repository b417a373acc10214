"""Who may read: the two groups of accounts, and what makes a role."""

from django.contrib.auth.models import AbstractUser, AnonymousUser

TEAM_LEADS = "Team leads"
VIEWERS = "Viewers"

# Team leads and viewers have it, and every account that an administrator gave it in another way. For history, too:
# whoever may see the map with a role may see how it came about.
READING_PERMISSION = "view_table"

NO_ROLE = "Your account has no role in this registry. Ask an administrator to make it a viewer or a team lead."


def has_role(user: AbstractUser | AnonymousUser) -> bool:
    """Whether an account may read the map and its history: an active viewer, team lead or administrator."""
    return user.has_perm(f"ownership.{READING_PERMISSION}")
