"""The deliverer's work on mails, in the test's own thread."""

from ownership.news.mailing import due_people, mail_next


def send_what_is_due() -> None:
    """Send every mail that is due now, as `manage.py deliver --once` does."""
    for user_id in due_people():
        mail_next(user_id)
