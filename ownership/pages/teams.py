"""A team's page: how to reach it, what it is answerable for, and, for people with a role, who is in it."""

from django.core.paginator import Paginator

from ownership.catalog.queries import whole_tables
from ownership.models import Service, Team
from ownership.models.answerable import services_of_teams
from ownership.models.rights import has_role, may_edit
from ownership.pages.base import Context, Page
from ownership.pages.former_names import NothingNamed
from ownership.pages.table_list import any_confirmed, listed

TABLES_PER_PAGE = 50


class TeamPage(Page):
    """One team, by name."""

    template_name = "ownership/team_page.html"

    def get_context_data(self, **kwargs: object) -> Context:
        """Return the context: the team's services and tables, those of its services' parts included."""
        name = str(kwargs["name"])
        team = Team.objects.filter(name=name).first()
        if team is None:
            raise NothingNamed("team", name)
        service_ids = services_of_teams([team.pk])
        tables = whole_tables().filter(owner__in=service_ids)
        page = Paginator(tables, TABLES_PER_PAGE).get_page(self.request.GET.get("page"))
        memberships = []
        if has_role(self.request.user):
            memberships = team.memberships.with_accounts()
        # Without the teams, which are all this one.
        tables_on_page = listed(page.object_list, {})
        return super().get_context_data(**kwargs) | {
            "team": team,
            "memberships": memberships,
            "may_edit": may_edit(self.request.user, team),
            "services": Service.objects.filter(pk__in=service_ids),
            "page": page,
            "tables": tables_on_page,
            "shows_states": any_confirmed(tables_on_page),
        }
