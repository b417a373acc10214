from django.db import migrations, models


class Migration(migrations.Migration):
    """The source "restore" is called Undo everywhere."""

    dependencies = [("ownership", "0013_suggestions_in_part")]

    operations = [
        migrations.AlterField(
            model_name="changeset",
            name="source",
            field=models.CharField(
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
    ]
