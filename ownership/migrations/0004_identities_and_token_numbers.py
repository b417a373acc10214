"""Keep who an account is at the OpenID Connect provider, and give API tokens numbers.

A table's primary key can't be replaced on every database, so the tokens move to a new table. What the admin logged
about tokens named them by their hashes, too.
"""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

COLUMNS = "digest, token_key, created, expiry, name, last_used, user_id"
NUMBER_TOKENS = f"""
    INSERT INTO ownership_numberedtoken ({COLUMNS})
    SELECT {COLUMNS} FROM ownership_apitoken ORDER BY created
"""  # noqa: S608 (names of our own)
NUMBER_LOG = """
    UPDATE django_admin_log SET object_id = (
        SELECT CAST(token.id AS varchar(20)) FROM ownership_numberedtoken token
        WHERE token.digest = django_admin_log.object_id
    )
    WHERE content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'ownership' AND model = 'apitoken')
"""
UNNUMBER_TOKENS = f"""
    INSERT INTO ownership_apitoken ({COLUMNS})
    SELECT {COLUMNS} FROM ownership_numberedtoken
"""  # noqa: S608 (names of our own)


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("ownership", "0003_code_in_drift_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issuer", models.CharField(max_length=255)),
                ("subject", models.CharField(max_length=255)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provider_identity",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "provider identities",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("issuer", "subject"), name="provideridentity_unique"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NumberedToken",
            fields=[
                ("token_key", models.CharField(db_index=True, max_length=25)),
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
                ("last_used", models.DateField(editable=False, help_text="Day of the last use.", null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="auth_token_set",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
                "ordering": ["-created"],
            },
        ),
        migrations.RunSQL(NUMBER_TOKENS, UNNUMBER_TOKENS),
        migrations.RunSQL(NUMBER_LOG, migrations.RunSQL.noop),
        migrations.DeleteModel("ApiToken"),
        migrations.RenameModel("NumberedToken", "ApiToken"),
    ]
