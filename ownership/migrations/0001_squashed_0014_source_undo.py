"""The tables as 0001 to 0014 leave them, made at once: an empty database gets this in a quarter of the time.

Those stay for databases that an earlier version made, and for backups of them.
"""

import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ownership.models.news


class Migration(migrations.Migration):
    replaces = [
        ("ownership", "0001_initial"),
        ("ownership", "0002_environment_pattern"),
        ("ownership", "0003_code_in_drift_runs"),
        ("ownership", "0004_identities_and_token_numbers"),
        ("ownership", "0005_teams"),
        ("ownership", "0006_suggestions"),
        ("ownership", "0007_endpoints"),
        ("ownership", "0008_confirmations"),
        ("ownership", "0009_watches"),
        ("ownership", "0010_reminders"),
        ("ownership", "0011_suggestions_passed_on"),
        ("ownership", "0012_suggestions_to_teams"),
        ("ownership", "0013_suggestions_in_part"),
        ("ownership", "0014_source_undo"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DelivererSign",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("time", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
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
                    "kind",
                    models.CharField(
                        choices=[("webhook", "Webhook"), ("slack", "Slack"), ("github", "GitHub")],
                        help_text="Webhook: signed JSON to an address of yours. Slack: a message in a channel, also for chats that take Slack's messages. GitHub: starts a workflow of a repository.",
                        max_length=10,
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        help_text="Webhook: https://ci.example.com/hooks. GitHub: https://api.github.com/repos/OWNER/REPOSITORY/dispatches. Everybody who reads the history sees it. Leave it blank for Slack, whose address is a secret.",
                        max_length=500,
                        validators=[ownership.models.news.is_web_address],
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="Whether it is sent anything. What it missed meanwhile is sent when it is active again.",
                    ),
                ),
                (
                    "only_table",
                    models.CharField(
                        blank=True,
                        help_text="Only changes of this table, its accesses and indexes.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only table",
                    ),
                ),
                (
                    "only_service",
                    models.CharField(
                        blank=True,
                        help_text="Only changes of this service, and of what it gained and lost.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only service",
                    ),
                ),
                (
                    "only_group",
                    models.CharField(
                        blank=True,
                        help_text="Only changes of this group, its tables, their accesses and indexes.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only group",
                    ),
                ),
                (
                    "only_changes",
                    models.CharField(
                        blank=True,
                        help_text="Only this kind of change.",
                        max_length=20,
                        verbose_name="only changes of",
                    ),
                ),
                (
                    "only_source",
                    models.CharField(
                        blank=True,
                        help_text="Only changes that were made there.",
                        max_length=10,
                        verbose_name="only from",
                    ),
                ),
                (
                    "only_user",
                    models.CharField(
                        blank=True,
                        help_text="Only changes by this user.",
                        max_length=150,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only by",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="endpoint_name_unique",
                        violation_error_message="An endpoint with this name already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="endpoint_name_stated",
                        violation_error_message="An endpoint needs a name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["webhook", "slack", "github"])),
                        name="endpoint_kind_known",
                        violation_error_message="Choose webhook, Slack or GitHub.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("address", ""), ("kind", "slack")),
                            models.Q(
                                models.Q(("kind", "slack"), _negated=True),
                                models.Q(("address", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="endpoint_address_where_public",
                        violation_error_message="A webhook and GitHub need an address. Leave it blank for Slack: you give it as the secret.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DriftRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("reader", models.CharField(max_length=20)),
                (
                    "environment",
                    models.CharField(blank=True, help_text="Blank if none was chosen.", max_length=50),
                ),
                ("time", models.DateTimeField()),
                ("user_name", models.CharField(max_length=150)),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="Revision of the map it was compared with."),
                ),
                (
                    "digest",
                    models.CharField(blank=True, help_text="Digest of that revision.", max_length=64),
                ),
                (
                    "agreeing",
                    models.PositiveIntegerField(help_text="How many of the compared items matched."),
                ),
                ("compared", models.PositiveIntegerField()),
                ("by_kind", models.JSONField(help_text="{kind: number of findings}")),
                (
                    "waived",
                    models.PositiveIntegerField(help_text="Number of findings that were waived."),
                ),
                (
                    "findings",
                    models.JSONField(
                        help_text="[[kind, table, service, waived, granted], …]; null if only the figures are kept.",
                        null=True,
                    ),
                ),
                (
                    "found",
                    models.JSONField(
                        help_text="What the reader found, without grants, in the form of ownership.drift.serialization.",
                        null=True,
                    ),
                ),
                (
                    "code",
                    models.JSONField(
                        help_text="What the reader of code found, without uses; null if no code was read, or only figures are kept.",
                        null=True,
                    ),
                ),
                (
                    "accesses",
                    models.PositiveIntegerField(
                        help_text="How many accesses were declared or found; null if no code was read.",
                        null=True,
                    ),
                ),
                (
                    "true_accesses",
                    models.PositiveIntegerField(help_text="On how many of them map, IAM and code agreed.", null=True),
                ),
                (
                    "by_verdict",
                    models.JSONField(
                        help_text="{verdict: number of findings}; null if no code was read.",
                        null=True,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["reader", "environment", "id"], name="drift_run_series")],
            },
        ),
        migrations.CreateModel(
            name="Environment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.{1,2}\\Z)[a-zA-Z0-9_.-]{1,100}\\Z",
                                "Use letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "suffix",
                    models.CharField(
                        blank=True,
                        help_text="Added to the base name of every table. Environments with the same suffix share their tables.",
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-zA-Z0-9_.-]*\\Z",
                                "Use letters, digits, “_”, “.” or “-”, as in table names.",
                            )
                        ],
                    ),
                ),
                (
                    "pattern",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Instead of a suffix, if the base name does not come first: {stage}-{name} or shop-{stage}-{name}. {name} is the base name, {stage} the environment's name.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?:(?:[a-zA-Z0-9_.-]|\\{stage\\})*\\{name\\}(?:[a-zA-Z0-9_.-]|\\{stage\\})*)?\\Z",
                                "Use {name} once for the base name, {stage} for the environment's name, and letters, digits, “_”, “.” or “-”: {stage}-{name}",
                            )
                        ],
                        verbose_name="name pattern",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="environment_name_unique",
                        violation_error_message="An environment with this name already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("suffix", ""), ("pattern", ""), _connector="OR"),
                        name="environment_suffix_or_pattern",
                        violation_error_message="Give a suffix or a name pattern, not both.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mailing",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="mailing",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="The person was told of all changes up to this one."),
                ),
                (
                    "last_digest",
                    models.DateTimeField(
                        help_text="The hour for which the last digest was made, or it was last looked for what waits.",
                        null=True,
                    ),
                ),
                (
                    "last_sent",
                    models.DateTimeField(help_text="When the last mail was sent.", null=True),
                ),
                (
                    "sending_to",
                    models.PositiveBigIntegerField(help_text="A mail up to this revision is being sent.", null=True),
                ),
                (
                    "mails_begun",
                    models.PositiveIntegerField(default=0, help_text="How many different mails were begun."),
                ),
                (
                    "reminded",
                    models.JSONField(
                        default=dict,
                        help_text="{key of what waits: day on which the person was last told of it}",
                    ),
                ),
                (
                    "sending_reminders",
                    models.JSONField(
                        default=list,
                        help_text="Keys of what waits, of which the mail that is being sent tells.",
                    ),
                ),
                (
                    "looked_at_run",
                    models.PositiveBigIntegerField(
                        help_text="The latest run of drift when it was last looked for what waits.",
                        null=True,
                    ),
                ),
                (
                    "tries",
                    models.PositiveIntegerField(default=0, help_text="How often this mail was begun."),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="Failed attempts in a row."),
                ),
                (
                    "next_attempt",
                    models.DateTimeField(help_text="Not to be tried again before.", null=True),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why the last attempt failed, for people."),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="MailPreference",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="mail_preference",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "rhythm",
                    models.CharField(
                        choices=[
                            ("at_once", "Within two minutes"),
                            ("daily", "Once a day"),
                            ("weekly", "Once a week"),
                            ("never", "Never"),
                        ],
                        default="at_once",
                        max_length=10,
                        verbose_name="mail",
                    ),
                ),
                (
                    "own_changes",
                    models.BooleanField(default=False, verbose_name="my own changes, too"),
                ),
                (
                    "since",
                    models.PositiveBigIntegerField(
                        help_text="The revision when mail was switched on; it is about later ones."
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ProviderIdentity",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provider_identity",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("issuer", models.CharField(max_length=255)),
                ("subject", models.CharField(max_length=255)),
            ],
            options={
                "verbose_name_plural": "provider identities",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("issuer", "subject"), name="provideridentity_unique")],
            },
        ),
        migrations.CreateModel(
            name="RegistryLock",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Suggestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(
                        help_text="Suggestions are numbered in the order in which they were made."
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("change", "Change"), ("hand_over", "Hand-over")],
                        default="change",
                        max_length=10,
                    ),
                ),
                (
                    "about",
                    models.CharField(help_text="What it would change, in the names of that time.", max_length=300),
                ),
                ("reason", models.TextField()),
                (
                    "steps",
                    models.JSONField(
                        help_text="The rows that it would change, each as a SuggestedStep.",
                        verbose_name="changes",
                    ),
                ),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="Revision of the map on which it was made."),
                ),
                ("user_id", models.BigIntegerField(help_text="Account of who suggested it.")),
                ("user_name", models.CharField(max_length=150, verbose_name="suggested by")),
                ("made", models.DateTimeField()),
                ("until", models.DateField(help_text="Last day on which it can be taken (UTC).")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("taken", "Taken"),
                            ("in_part", "Taken in part"),
                            ("passed_on", "Passed on"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "default_permissions": ("view", "add"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["until"],
                        name="suggestion_open",
                    ),
                    models.Index(fields=["user_id", "number"], name="suggestion_by_user"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("number",),
                        name="suggestion_number_unique",
                        violation_error_message="A suggestion with this number already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["change", "hand_over"])),
                        name="suggestion_kind_known",
                        violation_error_message="A suggestion is a change or a hand-over.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["open", "taken", "in_part", "passed_on", "declined", "withdrawn"],
                            )
                        ),
                        name="suggestion_state_known",
                        violation_error_message="A suggestion is open, taken as a whole or in part, passed on, declined or withdrawn.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="suggestion_has_reason",
                        violation_error_message="Please give a reason.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TableGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
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
                    "description",
                    models.TextField(
                        blank=True,
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
                (
                    "confirmation_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="For how long a confirmation of its tables holds. Leave blank for the usual period.",
                        null=True,
                        verbose_name="confirmed for (days)",
                    ),
                ),
            ],
            options={
                "verbose_name": "group",
                "ordering": ["position", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="group_name_unique",
                        violation_error_message="A group with this name already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="group_name_stated",
                        violation_error_message="A group needs a name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmation_days__isnull", True),
                            models.Q(("confirmation_days__gte", 1), ("confirmation_days__lte", 3650)),
                            _connector="OR",
                        ),
                        name="group_confirmation_days",
                        violation_error_message="A confirmation holds for 1 to 3,650 days.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
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
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("table", "Table"),
                            ("service", "Service"),
                            ("group", "Group"),
                            ("mine", "Mine"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "row",
                    models.BigIntegerField(
                        help_text="Id of the table, service or group; empty for what is mine.",
                        null=True,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "watches",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "kind", "row"), name="watch_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "mine")),
                        fields=("user",),
                        name="watch_mine_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "mine"), ("row__isnull", True)),
                            models.Q(models.Q(("kind", "mine"), _negated=True), ("row__isnull", False)),
                            _connector="OR",
                        ),
                        name="watch_of_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NumberedToken",
            fields=[
                ("token_key", models.CharField(db_index=True, max_length=25)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="auth_token_set",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("digest", models.CharField(editable=False, max_length=128, unique=True)),
                (
                    "name",
                    models.CharField(
                        help_text="What uses the token: nightly export",
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
                    "last_used",
                    models.DateField(editable=False, help_text="Day of the last use.", null=True),
                ),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
                "ordering": ["-created"],
            },
        ),
        # On PostgreSQL its sequence, indexes and constraints keep the first name, as 0004 left them.
        migrations.RenameModel("NumberedToken", "ApiToken"),
        migrations.CreateModel(
            name="ChangeSet",
            fields=[
                (
                    "revision",
                    models.PositiveBigIntegerField(
                        help_text="Number of the change set, in commit order.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "time",
                    models.DateTimeField(
                        db_index=True,
                        help_text="Never earlier than that of the previous change set.",
                    ),
                ),
                ("user_id", models.BigIntegerField(editable=False, null=True)),
                ("user_name", models.CharField(max_length=150, verbose_name="user")),
                ("suggested_by_id", models.BigIntegerField(editable=False, null=True)),
                (
                    "suggested_by_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Who suggested what the user approved; blank if nobody did.",
                        max_length=150,
                        verbose_name="suggested by",
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("admin", "Admin"),
                            ("seed", "Seed"),
                            ("import", "Import"),
                            ("restore", "Undo"),
                            ("drift", "Drift"),
                            ("command", "Command"),
                            ("suggestion", "Suggestion"),
                            ("confirm", "Confirmation"),
                            ("sign_in", "Sign-in"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The change set that this one reverses.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "request_id",
                    models.CharField(
                        blank=True,
                        help_text="X-Request-ID of the request that made the change, as in the log.",
                        max_length=64,
                        verbose_name="request ID",
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 over this change set, its entries and the previous digest.",
                        max_length=64,
                        unique=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-revision"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["user_id", "revision"], name="change_set_by_user"),
                    models.Index(
                        condition=models.Q(("undoes__isnull", False)),
                        fields=["undoes", "revision"],
                        name="change_set_by_undone",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="change_set_has_reason",
                        violation_error_message="Please give a reason.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("user_name", ""), _negated=True),
                        name="change_set_has_user",
                        violation_error_message="A change set needs a user name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("suggested_by_id__isnull", True), ("suggested_by_name", "")),
                            models.Q(
                                ("suggested_by_id__isnull", False),
                                ("user_id__isnull", False),
                                models.Q(("suggested_by_name", ""), _negated=True),
                                models.Q(("suggested_by_id", models.F("user_id")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="change_set_has_two_people",
                        violation_error_message="Nobody approves their own suggestion.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uses",
                        to="ownership.driftrun",
                    ),
                ),
                ("table", models.CharField(max_length=255)),
                ("service", models.CharField(max_length=255)),
                ("mode", models.CharField(max_length=5)),
                (
                    "content",
                    models.JSONField(
                        help_text="Function, calls and places, in the form of ownership.drift.serialization."
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["run", "table"], name="code_use_by_table"),
                    models.Index(fields=["run", "service"], name="code_use_by_service"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delivery_requests",
                        to="ownership.endpoint",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("test", "Test"), ("skip", "Skip")], max_length=10),
                ),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="The latest when it was asked for."),
                ),
                ("user_name", models.CharField(max_length=150)),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="EndpointSecret",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="secrets",
                        to="ownership.endpoint",
                    ),
                ),
                (
                    "sealed",
                    models.TextField(help_text="Encrypted with a key that is not in the database."),
                ),
                ("time", models.DateTimeField(help_text="When it was given.")),
                ("user_name", models.CharField(help_text="Who gave it.", max_length=150)),
                (
                    "valid_until",
                    models.DateTimeField(help_text="Until when it is valid beside a newer one.", null=True),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="ownership.driftrun",
                    ),
                ),
                ("table", models.CharField(max_length=255)),
                ("service", models.CharField(max_length=255)),
                ("mode", models.CharField(max_length=5)),
                ("evidence", models.JSONField(help_text="[[file, line or null], …]")),
                (
                    "actions",
                    models.JSONField(
                        help_text="{index or empty: [action, …]}; null in runs of versions that did not keep them.",
                        null=True,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["run", "table"], name="grant_by_table"),
                    models.Index(fields=["run", "service"], name="grant_by_service"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalEndpoint",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
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
                    "kind",
                    models.CharField(
                        choices=[("webhook", "Webhook"), ("slack", "Slack"), ("github", "GitHub")],
                        help_text="Webhook: signed JSON to an address of yours. Slack: a message in a channel, also for chats that take Slack's messages. GitHub: starts a workflow of a repository.",
                        max_length=10,
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        help_text="Webhook: https://ci.example.com/hooks. GitHub: https://api.github.com/repos/OWNER/REPOSITORY/dispatches. Everybody who reads the history sees it. Leave it blank for Slack, whose address is a secret.",
                        max_length=500,
                        validators=[ownership.models.news.is_web_address],
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="Whether it is sent anything. What it missed meanwhile is sent when it is active again.",
                    ),
                ),
                (
                    "only_table",
                    models.CharField(
                        blank=True,
                        help_text="Only changes of this table, its accesses and indexes.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only table",
                    ),
                ),
                (
                    "only_service",
                    models.CharField(
                        blank=True,
                        help_text="Only changes of this service, and of what it gained and lost.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only service",
                    ),
                ),
                (
                    "only_group",
                    models.CharField(
                        blank=True,
                        help_text="Only changes of this group, its tables, their accesses and indexes.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only group",
                    ),
                ),
                (
                    "only_changes",
                    models.CharField(
                        blank=True,
                        help_text="Only this kind of change.",
                        max_length=20,
                        verbose_name="only changes of",
                    ),
                ),
                (
                    "only_source",
                    models.CharField(
                        blank=True,
                        help_text="Only changes that were made there.",
                        max_length=10,
                        verbose_name="only from",
                    ),
                ),
                (
                    "only_user",
                    models.CharField(
                        blank=True,
                        help_text="Only changes by this user.",
                        max_length=150,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="only by",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical endpoint",
                "verbose_name_plural": "historical endpoints",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="endpoint_by_row"),
                    models.Index(fields=["name", "id"], name="endpoint_by_name"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="endpoint_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="endpoint_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="endpoint_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalEnvironment",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.{1,2}\\Z)[a-zA-Z0-9_.-]{1,100}\\Z",
                                "Use letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "suffix",
                    models.CharField(
                        blank=True,
                        help_text="Added to the base name of every table. Environments with the same suffix share their tables.",
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-zA-Z0-9_.-]*\\Z",
                                "Use letters, digits, “_”, “.” or “-”, as in table names.",
                            )
                        ],
                    ),
                ),
                (
                    "pattern",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Instead of a suffix, if the base name does not come first: {stage}-{name} or shop-{stage}-{name}. {name} is the base name, {stage} the environment's name.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?:(?:[a-zA-Z0-9_.-]|\\{stage\\})*\\{name\\}(?:[a-zA-Z0-9_.-]|\\{stage\\})*)?\\Z",
                                "Use {name} once for the base name, {stage} for the environment's name, and letters, digits, “_”, “.” or “-”: {stage}-{name}",
                            )
                        ],
                        verbose_name="name pattern",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical environment",
                "verbose_name_plural": "historical environments",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="environment_by_row"),
                    models.Index(fields=["name", "id"], name="environment_by_name"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="environment_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="environment_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="environment_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalMembership",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "is_lead",
                    models.BooleanField(
                        default=False,
                        help_text="Leads change the team and its members.",
                        verbose_name="lead",
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
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
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
        migrations.CreateModel(
            name="HistoricalSuggestion",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(
                        help_text="Suggestions are numbered in the order in which they were made."
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("change", "Change"), ("hand_over", "Hand-over")],
                        default="change",
                        max_length=10,
                    ),
                ),
                (
                    "about",
                    models.CharField(help_text="What it would change, in the names of that time.", max_length=300),
                ),
                ("reason", models.TextField()),
                (
                    "steps",
                    models.JSONField(
                        help_text="The rows that it would change, each as a SuggestedStep.",
                        verbose_name="changes",
                    ),
                ),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="Revision of the map on which it was made."),
                ),
                ("user_id", models.BigIntegerField(help_text="Account of who suggested it.")),
                ("user_name", models.CharField(max_length=150, verbose_name="suggested by")),
                ("made", models.DateTimeField()),
                ("until", models.DateField(help_text="Last day on which it can be taken (UTC).")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("taken", "Taken"),
                            ("in_part", "Taken in part"),
                            ("passed_on", "Passed on"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical suggestion",
                "verbose_name_plural": "historical suggestions",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="suggestion_by_row"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="suggestion_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="suggestion_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="suggestion_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTableGroup",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
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
                    "description",
                    models.TextField(
                        blank=True,
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
                (
                    "confirmation_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="For how long a confirmation of its tables holds. Leave blank for the usual period.",
                        null=True,
                        verbose_name="confirmed for (days)",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical group",
                "verbose_name_plural": "historical groups",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="tablegroup_by_row"),
                    models.Index(fields=["name", "id"], name="tablegroup_by_name"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="tablegroup_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="tablegroup_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="tablegroup_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTeam",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
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
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="ownership.team",
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
                    "is_lead",
                    models.BooleanField(
                        default=False,
                        help_text="Leads change the team and its members.",
                        verbose_name="lead",
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
            name="Service",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.{1,2}\\Z)[a-zA-Z0-9_.-]{1,100}\\Z",
                                "Use 1–100 letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "part_of",
                    models.ForeignKey(
                        blank=True,
                        help_text="The service that this one is part of, if any.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="ownership.service",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        help_text="The team answerable for it. A part without a team is its parent's team's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="services",
                        to="ownership.team",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="On-call contact: #users-oncall",
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
                    "repository",
                    models.URLField(blank=True, help_text="Address of its code: https://…", max_length=300),
                ),
                (
                    "aliases",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Other names of the service in the infrastructure, such as stack or role names.",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="service_name_unique",
                        violation_error_message="A service with this name already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\A(?!\\.{1,2}\\Z)[a-zA-Z0-9_.-]{1,100}\\Z")),
                        name="service_name_rule",
                        violation_error_message="Use 1–100 letters, digits, “_”, “.” or “-” (no spaces).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("part_of__isnull", True),
                            models.Q(("part_of", models.F("pk")), _negated=True),
                            _connector="OR",
                        ),
                        name="service_not_part_of_itself",
                        violation_error_message="A service can't be part of itself.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SuggestionSubject",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "suggestion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subjects",
                        to="ownership.suggestion",
                    ),
                ),
                ("table_id", models.BigIntegerField(null=True)),
                ("service_id", models.BigIntegerField(null=True)),
                ("team_id", models.BigIntegerField(null=True)),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["table_id"], name="suggestion_by_table"),
                    models.Index(fields=["service_id"], name="suggestion_by_service"),
                    models.Index(fields=["team_id"], name="suggestion_by_team"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("service_id__isnull", True),
                                ("table_id__isnull", False),
                                ("team_id__isnull", True),
                            ),
                            models.Q(
                                ("service_id__isnull", False),
                                ("table_id__isnull", True),
                                ("team_id__isnull", True),
                            ),
                            models.Q(
                                ("service_id__isnull", True),
                                ("table_id__isnull", True),
                                ("team_id__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="suggestion_subject_is_one",
                        violation_error_message="A subject is a table, a service or a team.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TableTruth",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="truths",
                        to="ownership.driftrun",
                    ),
                ),
                ("table", models.CharField(max_length=255)),
                ("agreeing", models.PositiveIntegerField()),
                ("accesses", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["table", "run"], name="table_truth_by_table")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "endpoint",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="delivery",
                        serialize=False,
                        to="ownership.endpoint",
                    ),
                ),
                (
                    "revision",
                    models.PositiveBigIntegerField(
                        help_text="All changes up to this revision were sent or are not for it."
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="Failed attempts in a row."),
                ),
                ("failing_since", models.DateTimeField(null=True)),
                (
                    "next_attempt",
                    models.DateTimeField(help_text="Not to be tried again before.", null=True),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why nothing is delivered, for people."),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="ownership.delivery",
                    ),
                ),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="What was sent; empty for a test.", null=True),
                ),
                ("time", models.DateTimeField()),
                ("milliseconds", models.PositiveIntegerField()),
                (
                    "status",
                    models.PositiveSmallIntegerField(help_text="Of the answer, if there was one.", null=True),
                ),
                ("answer", models.TextField(blank=True, help_text="The beginning of the answer.")),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why it failed, for people. Empty: delivered."),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HistoricalService",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.{1,2}\\Z)[a-zA-Z0-9_.-]{1,100}\\Z",
                                "Use 1–100 letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="On-call contact: #users-oncall",
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
                    "repository",
                    models.URLField(blank=True, help_text="Address of its code: https://…", max_length=300),
                ),
                (
                    "aliases",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Other names of the service in the infrastructure, such as stack or role names.",
                    ),
                ),
                (
                    "part_of",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The service that this one is part of, if any.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.service",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The team answerable for it. A part without a team is its parent's team's.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.team",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical service",
                "verbose_name_plural": "historical services",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="service_by_row"),
                    models.Index(fields=["name", "id"], name="service_by_name"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="service_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="service_by_lost_by",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("change_set", "sequence"), name="service_entry_place")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTable",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "partition_key_name",
                    models.CharField(
                        blank=True,
                        help_text="Attribute name: id",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="partition key",
                    ),
                ),
                (
                    "partition_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "partition_key_format",
                    models.CharField(
                        blank=True,
                        help_text="email, UUID, …",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "sort_key_name",
                    models.CharField(
                        blank=True,
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="sort key",
                    ),
                ),
                (
                    "sort_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "sort_key_format",
                    models.CharField(
                        blank=True,
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Base name, without what an environment adds to it: biztechUsers",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-zA-Z0-9_.-]{3,255}\\Z",
                                "Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        help_text="What the records represent.",
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "more_title",
                    models.CharField(
                        blank=True,
                        help_text="Title of further documentation: BTX Database & API",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="link text",
                    ),
                ),
                (
                    "more_url",
                    models.URLField(
                        blank=True,
                        help_text="Its address: https://…",
                        max_length=300,
                        verbose_name="link",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Group on the map.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.tablegroup",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Service responsible for this table.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.service",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical table",
                "verbose_name_plural": "historical tables",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="table_by_row"),
                    models.Index(fields=["name", "id"], name="table_by_name"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="table_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="table_by_lost_by",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("change_set", "sequence"), name="table_entry_place")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Table",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "partition_key_name",
                    models.CharField(
                        blank=True,
                        help_text="Attribute name: id",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="partition key",
                    ),
                ),
                (
                    "partition_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "partition_key_format",
                    models.CharField(
                        blank=True,
                        help_text="email, UUID, …",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "sort_key_name",
                    models.CharField(
                        blank=True,
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="sort key",
                    ),
                ),
                (
                    "sort_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "sort_key_format",
                    models.CharField(
                        blank=True,
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Base name, without what an environment adds to it: biztechUsers",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-zA-Z0-9_.-]{3,255}\\Z",
                                "Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        help_text="Group on the map.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tables",
                        to="ownership.tablegroup",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        help_text="Service responsible for this table.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="owned_tables",
                        to="ownership.service",
                    ),
                ),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        help_text="What the records represent.",
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "more_title",
                    models.CharField(
                        blank=True,
                        help_text="Title of further documentation: BTX Database & API",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="link text",
                    ),
                ),
                (
                    "more_url",
                    models.URLField(
                        blank=True,
                        help_text="Its address: https://…",
                        max_length=300,
                        verbose_name="link",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
            ],
            options={
                "ordering": ["group__position", "group__name", "position", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name",),
                        name="table_name_unique",
                        violation_error_message="A table with this name already exists.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\A[a-zA-Z0-9_.-]{3,255}\\Z")),
                        name="table_name_rule",
                        violation_error_message="Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("partition_key_name", ""), _negated=True),
                            ("sort_key_name", ""),
                            _connector="OR",
                        ),
                        name="table_sort_key_needs_partition_key",
                        violation_error_message="A sort key needs a partition key.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sort_key_name", ""),
                            models.Q(("sort_key_name", models.F("partition_key_name")), _negated=True),
                            _connector="OR",
                        ),
                        name="table_sort_key_differs",
                        violation_error_message="Partition key and sort key must be different attributes.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("partition_key_name", ""), _negated=True),
                                models.Q(("partition_key_format", ""), ("partition_key_type", "")),
                                _connector="OR",
                            ),
                            models.Q(
                                models.Q(("sort_key_name", ""), _negated=True),
                                models.Q(("sort_key_format", ""), ("sort_key_type", "")),
                                _connector="OR",
                            ),
                        ),
                        name="table_key_details_need_key",
                        violation_error_message="A key's type or format needs the key's name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("partition_key_type__in", ["", "S", "N", "B"]),
                            ("sort_key_type__in", ["", "S", "N", "B"]),
                        ),
                        name="table_key_types_known",
                        violation_error_message="A key's type is S, N or B; leave it blank if unknown.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Access",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "table",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="accesses",
                        to="ownership.table",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accesses",
                        to="ownership.service",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("read", "Read"),
                            ("write", "Write"),
                            ("read_write", "Read + Write"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "indirect",
                    models.BooleanField(
                        default=False,
                        help_text="Through another service's code; describe how in the notes.",
                    ),
                ),
                (
                    "notes",
                    models.TextField(
                        blank=True,
                        help_text="What the service does with the records.",
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position among the table's accesses, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "accesses",
                "ordering": ["position", "service__name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("table", "service"),
                        name="access_once_per_table_and_service",
                        violation_error_message="This service already has an access to this table.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["read", "write", "read_write"])),
                        name="access_mode_known",
                        violation_error_message="The mode is Read, Write or Read + Write.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Confirmation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "table",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="confirmations",
                        to="ownership.table",
                    ),
                ),
                (
                    "at_revision",
                    models.PositiveBigIntegerField(help_text="The revision that was shown to whoever confirmed it."),
                ),
                (
                    "confirmed_by",
                    models.CharField(
                        help_text="User name.",
                        max_length=150,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                    ),
                ),
                ("confirmed_on", models.DateField(help_text="Day (UTC).")),
                ("until", models.DateField(help_text="Last day on which it holds (UTC).")),
                (
                    "drift",
                    models.TextField(
                        blank=True,
                        help_text="What the latest runs of drift said of the table then.",
                    ),
                ),
            ],
            options={
                "ordering": ["until", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("table",),
                        name="confirmation_once_per_table",
                        violation_error_message="This table has a confirmation already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("confirmed_by", ""), _negated=True),
                        name="confirmation_by_somebody",
                        violation_error_message="A confirmation needs the name of whoever confirms.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("confirmed_on"))),
                        name="confirmation_ends_later",
                        violation_error_message="A confirmation holds for one day at least.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAccess",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("read", "Read"),
                            ("write", "Write"),
                            ("read_write", "Read + Write"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "indirect",
                    models.BooleanField(
                        default=False,
                        help_text="Through another service's code; describe how in the notes.",
                    ),
                ),
                (
                    "notes",
                    models.TextField(
                        blank=True,
                        help_text="What the service does with the records.",
                        validators=[
                            django.core.validators.RegexValidator("\\A[^\\x00]*\\Z", "Remove the NUL character.")
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position among the table's accesses, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
                (
                    "table",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.table",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.service",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical access",
                "verbose_name_plural": "historical accesses",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="access_by_row"),
                    models.Index(fields=["table_id", "change_set"], name="access_by_table"),
                    models.Index(fields=["service_id", "change_set"], name="access_by_service"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="access_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="access_by_lost_by",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("change_set", "sequence"), name="access_entry_place")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalConfirmation",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "at_revision",
                    models.PositiveBigIntegerField(help_text="The revision that was shown to whoever confirmed it."),
                ),
                (
                    "confirmed_by",
                    models.CharField(
                        help_text="User name.",
                        max_length=150,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                    ),
                ),
                ("confirmed_on", models.DateField(help_text="Day (UTC).")),
                ("until", models.DateField(help_text="Last day on which it holds (UTC).")),
                (
                    "drift",
                    models.TextField(
                        blank=True,
                        help_text="What the latest runs of drift said of the table then.",
                    ),
                ),
                (
                    "table",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.table",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical confirmation",
                "verbose_name_plural": "historical confirmations",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="confirmation_by_row"),
                    models.Index(fields=["table_id", "change_set"], name="confirmation_by_table"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="confirmation_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="confirmation_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="confirmation_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSecondaryIndex",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "partition_key_name",
                    models.CharField(
                        blank=True,
                        help_text="Attribute name: id",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="partition key",
                    ),
                ),
                (
                    "partition_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "partition_key_format",
                    models.CharField(
                        blank=True,
                        help_text="email, UUID, …",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "sort_key_name",
                    models.CharField(
                        blank=True,
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="sort key",
                    ),
                ),
                (
                    "sort_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "sort_key_format",
                    models.CharField(
                        blank=True,
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-zA-Z0-9_.-]{3,255}\\Z",
                                "Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[("GSI", "Global (GSI)"), ("LSI", "Local (LSI)")],
                        max_length=3,
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
                (
                    "table",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.table",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical secondary index",
                "verbose_name_plural": "historical secondary indexes",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="secondaryindex_by_row"),
                    models.Index(fields=["table_id", "change_set"], name="secondaryindex_by_table"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="secondaryindex_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="secondaryindex_by_lost_by",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("change_set", "sequence"), name="secondaryindex_entry_place")
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalWaiver",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
                (
                    "change_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ownership.changeset",
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(help_text="Place in the change set, starting at 1."),
                ),
                (
                    "label",
                    models.CharField(help_text="Name of the row at that time.", max_length=600),
                ),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
                    ),
                ),
                (
                    "gained_by",
                    models.BigIntegerField(help_text="Id of the service that gained the row.", null=True),
                ),
                (
                    "lost_by",
                    models.BigIntegerField(help_text="Id of the service that lost the row.", null=True),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unregistered_table", "unregistered_table"),
                            ("table_not_deployed", "table_not_deployed"),
                            ("undeclared_access", "undeclared_access"),
                            ("access_not_granted", "access_not_granted"),
                            ("wider_grant", "wider_grant"),
                            ("narrower_grant", "narrower_grant"),
                            ("unused_declaration", "unused_declaration"),
                            ("undeclared_use", "undeclared_use"),
                            ("action_not_granted", "action_not_granted"),
                            ("key_schema_differs", "key_schema_differs"),
                            ("index_differs", "index_differs"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "table_name",
                    models.CharField(
                        blank=True,
                        help_text="Name of a table that is not on the map.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="unregistered table",
                    ),
                ),
                (
                    "service_name",
                    models.CharField(
                        blank=True,
                        help_text="Name of a service that is not on the map.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="unregistered service",
                    ),
                ),
                (
                    "granted",
                    models.TextField(
                        blank=True,
                        help_text="What was granted when the finding was waived. If something else is granted, it counts again.",
                    ),
                ),
                (
                    "until",
                    models.DateField(help_text="Last day on which the finding is ignored (UTC)."),
                ),
                (
                    "table",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.table",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.service",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ownership.environment",
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                ("history_id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "historical waiver",
                "verbose_name_plural": "historical waivers",
                "ordering": ["-history_id"],
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["id", "change_set"], name="waiver_by_row"),
                    models.Index(fields=["table_id", "change_set"], name="waiver_by_table"),
                    models.Index(fields=["service_id", "change_set"], name="waiver_by_service"),
                    models.Index(
                        condition=models.Q(("gained_by__isnull", False)),
                        fields=["gained_by", "change_set"],
                        name="waiver_by_gained_by",
                    ),
                    models.Index(
                        condition=models.Q(("lost_by__isnull", False)),
                        fields=["lost_by", "change_set"],
                        name="waiver_by_lost_by",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("change_set", "sequence"), name="waiver_entry_place")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SecondaryIndex",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "partition_key_name",
                    models.CharField(
                        blank=True,
                        help_text="Attribute name: id",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="partition key",
                    ),
                ),
                (
                    "partition_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "partition_key_format",
                    models.CharField(
                        blank=True,
                        help_text="email, UUID, …",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "sort_key_name",
                    models.CharField(
                        blank=True,
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="sort key",
                    ),
                ),
                (
                    "sort_key_type",
                    models.CharField(
                        blank=True,
                        choices=[("S", "S (string)"), ("N", "N (number)"), ("B", "B (binary)")],
                        max_length=1,
                        verbose_name="type",
                    ),
                ),
                (
                    "sort_key_format",
                    models.CharField(
                        blank=True,
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="format",
                    ),
                ),
                (
                    "table",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="indexes",
                        to="ownership.table",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-zA-Z0-9_.-]{3,255}\\Z",
                                "Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
                            )
                        ],
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[("GSI", "Global (GSI)"), ("LSI", "Local (LSI)")],
                        max_length=3,
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Position on the map, starting at 0.",
                        verbose_name="sort order",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "secondary indexes",
                "ordering": ["position", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("table", "name"),
                        name="index_unique_in_table",
                        violation_error_message="The table already has an index with this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\A[a-zA-Z0-9_.-]{3,255}\\Z")),
                        name="index_name_rule",
                        violation_error_message="Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["", "GSI", "LSI"])),
                        name="index_kind_known",
                        violation_error_message="An index is a GSI or an LSI; leave it blank if unknown.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("partition_key_name", ""), _negated=True),
                            ("sort_key_name", ""),
                            _connector="OR",
                        ),
                        name="index_sort_key_needs_partition_key",
                        violation_error_message="A sort key needs a partition key.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sort_key_name", ""),
                            models.Q(("sort_key_name", models.F("partition_key_name")), _negated=True),
                            _connector="OR",
                        ),
                        name="index_sort_key_differs",
                        violation_error_message="Partition key and sort key must be different attributes.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("partition_key_name", ""), _negated=True),
                                models.Q(("partition_key_format", ""), ("partition_key_type", "")),
                                _connector="OR",
                            ),
                            models.Q(
                                models.Q(("sort_key_name", ""), _negated=True),
                                models.Q(("sort_key_format", ""), ("sort_key_type", "")),
                                _connector="OR",
                            ),
                        ),
                        name="index_key_details_need_key",
                        violation_error_message="A key's type or format needs the key's name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("partition_key_type__in", ["", "S", "N", "B"]),
                            ("sort_key_type__in", ["", "S", "N", "B"]),
                        ),
                        name="index_key_types_known",
                        violation_error_message="A key's type is S, N or B; leave it blank if unknown.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Waiver",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unregistered_table", "unregistered_table"),
                            ("table_not_deployed", "table_not_deployed"),
                            ("undeclared_access", "undeclared_access"),
                            ("access_not_granted", "access_not_granted"),
                            ("wider_grant", "wider_grant"),
                            ("narrower_grant", "narrower_grant"),
                            ("unused_declaration", "unused_declaration"),
                            ("undeclared_use", "undeclared_use"),
                            ("action_not_granted", "action_not_granted"),
                            ("key_schema_differs", "key_schema_differs"),
                            ("index_differs", "index_differs"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "table",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waivers",
                        to="ownership.table",
                    ),
                ),
                (
                    "table_name",
                    models.CharField(
                        blank=True,
                        help_text="Name of a table that is not on the map.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="unregistered table",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waivers",
                        to="ownership.service",
                    ),
                ),
                (
                    "service_name",
                    models.CharField(
                        blank=True,
                        help_text="Name of a service that is not on the map.",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[^\\x00-\\x1f\\x7f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*\\Z",
                                "Use a single line, without control or invisible characters.",
                            )
                        ],
                        verbose_name="unregistered service",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waivers",
                        to="ownership.environment",
                    ),
                ),
                (
                    "granted",
                    models.TextField(
                        blank=True,
                        help_text="What was granted when the finding was waived. If something else is granted, it counts again.",
                    ),
                ),
                (
                    "until",
                    models.DateField(help_text="Last day on which the finding is ignored (UTC)."),
                ),
            ],
            options={
                "ordering": ["until", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("kind"),
                        django.db.models.functions.comparison.Coalesce("table", 0),
                        models.F("table_name"),
                        django.db.models.functions.comparison.Coalesce("service", 0),
                        models.F("service_name"),
                        django.db.models.functions.comparison.Coalesce("environment", 0),
                        name="waiver_once_per_finding",
                        violation_error_message="This finding is already waived.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                (
                                    "unregistered_table",
                                    "table_not_deployed",
                                    "undeclared_access",
                                    "access_not_granted",
                                    "wider_grant",
                                    "narrower_grant",
                                    "unused_declaration",
                                    "undeclared_use",
                                    "action_not_granted",
                                    "key_schema_differs",
                                    "index_differs",
                                ),
                            )
                        ),
                        name="waiver_kind_known",
                        violation_error_message="Unknown kind of finding.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("table__isnull", False), ("table_name", "")),
                            models.Q(("table__isnull", True), models.Q(("table_name", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="waiver_names_one_table",
                        violation_error_message="A waiver is for one table: one on the map, or the name of another.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("service__isnull", True), ("service_name", ""), _connector="OR"),
                        name="waiver_names_one_service",
                        violation_error_message="A waiver is for one service at most.",
                    ),
                ],
            },
        ),
    ]
