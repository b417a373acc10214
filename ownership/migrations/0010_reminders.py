"""What people were reminded of, as far as it still waits for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ownership", "0009_watches"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="looked_at_run",
            field=models.PositiveBigIntegerField(
                help_text="The latest run of drift when it was last looked for what waits.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="mailing",
            name="mails_begun",
            field=models.PositiveIntegerField(
                default=0, help_text="How many different mails were begun."
            ),
        ),
        migrations.AddField(
            model_name="mailing",
            name="reminded",
            field=models.JSONField(
                default=dict,
                help_text="{key of what waits: day on which the person was last told of it}",
            ),
        ),
        migrations.AddField(
            model_name="mailing",
            name="sending_reminders",
            field=models.JSONField(
                default=list,
                help_text="Keys of what waits, of which the mail that is being sent tells.",
            ),
        ),
        migrations.AlterField(
            model_name="mailing",
            name="last_digest",
            field=models.DateTimeField(
                help_text="The hour for which the last digest was made, or it was last looked for what waits.",
                null=True,
            ),
        ),
    ]
