"""What people watch, how their mail comes, and how far they were told."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("ownership", "0008_confirmations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DelivererSign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("time", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
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
                    models.DateTimeField(help_text="The hour for which the last digest was made.", null=True),
                ),
                ("last_sent", models.DateTimeField(help_text="When the last mail was sent.", null=True)),
                (
                    "sending_to",
                    models.PositiveBigIntegerField(help_text="A mail up to this revision is being sent.", null=True),
                ),
                ("tries", models.PositiveIntegerField(default=0, help_text="How often this mail was begun.")),
                ("failures", models.PositiveIntegerField(default=0, help_text="Failed attempts in a row.")),
                ("next_attempt", models.DateTimeField(help_text="Not to be tried again before.", null=True)),
                ("problem", models.TextField(blank=True, help_text="Why the last attempt failed, for people.")),
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
                ("own_changes", models.BooleanField(default=False, verbose_name="my own changes, too")),
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
            name="Watch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("table", "Table"), ("service", "Service"), ("group", "Group"), ("mine", "Mine")],
                        max_length=10,
                    ),
                ),
                (
                    "row",
                    models.BigIntegerField(
                        help_text="Id of the table, service or group; empty for what is mine.", null=True
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="watches", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "watches",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "kind", "row"), name="watch_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "mine")), fields=("user",), name="watch_mine_once"
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
    ]
