"""A mail server on loopback: it keeps what it takes, and refuses or breaks off as it is told."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """What came in, and how mails are answered.

    ``before_answer`` is called with each mail that was taken. With ``breaks_off`` the connection ends instead of an
    answer.
    """

    port: int
    answer: str = "250 OK"
    breaks_off: bool = False
    before_answer: Callable[[EmailMessage], None] = field(default=lambda mail: None)
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        if self.answer.startswith("2"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert envelope.rcpt_tos == [message["To"]]
            self.mails.append(message)
            self.before_answer(message)
        if self.breaks_off:
            server.transport.abort()
        return self.answer


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def serving_mail() -> Iterator[MailServer]:
    """A server that runs inside the block."""
    server = MailServer(_free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def text_of(mail: EmailMessage) -> str:
    """The mail's plain text."""
    return _content(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    """The mail as HTML."""
    return _content(mail, "html")


def subject_of(mail: EmailMessage) -> str:
    """The subject; of a long one, the first line of the header is empty."""
    return str(mail["Subject"]).strip()


def _content(mail: EmailMessage, kind: str) -> str:
    content: str = mail.get_body((kind,)).get_content()
    return content.replace("\r\n", "\n")
