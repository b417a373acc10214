"""Endpoints of news: their history, secrets and deliveries."""

import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import ownership.models.news


class Migration(migrations.Migration):
    dependencies = [
        ("ownership", "0006_suggestions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Endpoint",
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
                        blank=True, help_text="Only this kind of change.", max_length=20, verbose_name="only changes of"
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
            },
        ),
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveBigIntegerField(help_text="What was sent; empty for a test.", null=True)),
                ("time", models.DateTimeField()),
                ("milliseconds", models.PositiveIntegerField()),
                ("status", models.PositiveSmallIntegerField(help_text="Of the answer, if there was one.", null=True)),
                ("answer", models.TextField(blank=True, help_text="The beginning of the answer.")),
                ("problem", models.TextField(blank=True, help_text="Why it failed, for people. Empty: delivered.")),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DeliveryRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("test", "Test"), ("skip", "Skip")], max_length=10)),
                ("revision", models.PositiveBigIntegerField(help_text="The latest when it was asked for.")),
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
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.TextField(help_text="Encrypted with a key that is not in the database.")),
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
            name="HistoricalEndpoint",
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
                        blank=True, help_text="Only this kind of change.", max_length=20, verbose_name="only changes of"
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
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
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
                ("failures", models.PositiveIntegerField(default=0, help_text="Failed attempts in a row.")),
                ("failing_since", models.DateTimeField(null=True)),
                ("next_attempt", models.DateTimeField(help_text="Not to be tried again before.", null=True)),
                ("problem", models.TextField(blank=True, help_text="Why nothing is delivered, for people.")),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(
                fields=("name",),
                name="endpoint_name_unique",
                violation_error_message="An endpoint with this name already exists.",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="endpoint_name_stated",
                violation_error_message="An endpoint needs a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["webhook", "slack", "github"])),
                name="endpoint_kind_known",
                violation_error_message="Choose webhook, Slack or GitHub.",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("address", ""), ("kind", "slack")),
                    models.Q(models.Q(("kind", "slack"), _negated=True), models.Q(("address", ""), _negated=True)),
                    _connector="OR",
                ),
                name="endpoint_address_where_public",
                violation_error_message="A webhook and GitHub need an address. Leave it blank for Slack: you give it as the secret.",
            ),
        ),
        migrations.AddField(
            model_name="deliveryrequest",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="delivery_requests", to="ownership.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="endpointsecret",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="secrets", to="ownership.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="historicalendpoint",
            name="change_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ownership.changeset"
            ),
        ),
        migrations.AddField(
            model_name="deliveryattempt",
            name="delivery",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="ownership.delivery"
            ),
        ),
        migrations.AddIndex(
            model_name="historicalendpoint",
            index=models.Index(fields=["id", "change_set"], name="endpoint_by_row"),
        ),
        migrations.AddIndex(
            model_name="historicalendpoint",
            index=models.Index(fields=["name", "id"], name="endpoint_by_name"),
        ),
        migrations.AddIndex(
            model_name="historicalendpoint",
            index=models.Index(
                condition=models.Q(("gained_by__isnull", False)),
                fields=["gained_by", "change_set"],
                name="endpoint_by_gained_by",
            ),
        ),
        migrations.AddIndex(
            model_name="historicalendpoint",
            index=models.Index(
                condition=models.Q(("lost_by__isnull", False)),
                fields=["lost_by", "change_set"],
                name="endpoint_by_lost_by",
            ),
        ),
        migrations.AddConstraint(
            model_name="historicalendpoint",
            constraint=models.UniqueConstraint(fields=("change_set", "sequence"), name="endpoint_entry_place"),
        ),
    ]
