"""Teams, their members, the team of a service; and the sources that came with them."""

import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ownership", "0004_identities_and_token_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="changeset",
            name="source",
            field=models.CharField(
                choices=[
                    ("admin", "Admin"),
                    ("seed", "Seed"),
                    ("import", "Import"),
                    ("restore", "Restore"),
                    ("drift", "Drift"),
                    ("command", "Command"),
                    ("suggestion", "Suggestion"),
                    ("confirm", "Confirmation"),
                    ("sign_in", "Sign-in"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="Where to reach the team: #payments-team",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        help_text="An address that the whole team reads.",
                        max_length=254,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="e-mail",
                    ),
                ),
                (
                    "oidc_group",
                    models.CharField(
                        blank=True,
                        help_text="At each sign-in with OpenID Connect, people of this group become members, and others no longer are.",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="group at the provider",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="team_name_unique",
                        violation_error_message="A team with this name already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="team_name_stated",
                        violation_error_message="A team needs a name.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="historicalservice",
            name="team",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="The team answerable for it. A part without a team is its parent's team's.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ownership.team",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="team",
            field=models.ForeignKey(
                blank=True,
                help_text="The team answerable for it. A part without a team is its parent's team's.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="services",
                to="ownership.team",
            ),
        ),
        migrations.CreateModel(
            name="HistoricalTeam",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("sequence", models.PositiveIntegerField(help_text="Place in the change set, starting at 1.")),
                ("label", models.CharField(help_text="Name of the row at that time.", max_length=600)),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                ("gained_by", models.BigIntegerField(help_text="Id of the service that gained the row.", null=True)),
                ("lost_by", models.BigIntegerField(help_text="Id of the service that lost the row.", null=True)),
                (
                    "name",
                    models.CharField(
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="Where to reach the team: #payments-team",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        help_text="An address that the whole team reads.",
                        max_length=254,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="e-mail",
                    ),
                ),
                (
                    "oidc_group",
                    models.CharField(
                        blank=True,
                        help_text="At each sign-in with OpenID Connect, people of this group become members, and others no longer are.",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="group at the provider",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ownership.changeset"
                    ),
                ),
            ],
            options={
                "verbose_name": "historical team",
                "verbose_name_plural": "historical teams",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="team_by_row"),
                    models.Index(fields=["name", "id"], name="team_by_name"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="team_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="team_by_lost_by",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("change_set", "sequence"), name="team_entry_place")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "is_lead",
                    models.BooleanField(
                        default=False, help_text="Leads change the team and its members.", verbose_name="lead"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="ownership.team"
                    ),
                ),
            ],
            options={
                "ordering": ["team__name", "-is_lead", "user__username"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team", "user"),
                        name="membership_once_per_team_and_user",
                        violation_error_message="This account is already a member of the team.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalMembership",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("sequence", models.PositiveIntegerField(help_text="Place in the change set, starting at 1.")),
                ("label", models.CharField(help_text="Name of the row at that time.", max_length=600)),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                ("gained_by", models.BigIntegerField(help_text="Id of the service that gained the row.", null=True)),
                ("lost_by", models.BigIntegerField(help_text="Id of the service that lost the row.", null=True)),
                (
                    "is_lead",
                    models.BooleanField(
                        default=False, help_text="Leads change the team and its members.", verbose_name="lead"
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ownership.changeset"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical membership",
                "verbose_name_plural": "historical memberships",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="membership_by_row"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="membership_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="membership_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="membership_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
