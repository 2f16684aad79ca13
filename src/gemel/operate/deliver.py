"""How a notice leaves the house: a POST with JSON, or an e-mail. Blocking; called in a thread, with a time limit."""

import hashlib
import hmac
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from gemel.assets import Notice
from gemel.errors import ConnectError

TIMEOUT_S: Final = 10.0
SIGNATURE: Final = "X-Gemel-Signature"  # "sha256=" and the HMAC-SHA256 of the body, hex: as GitHub signs its webhooks
Item = Mapping[str, Any]
Secret = Callable[[str], str]


def deliver(notice: Notice, plant: str, items: Sequence[Item], secret: Secret) -> None:
    """Send items to a target, all or none of its ways; raises ConnectError where it does not take them.

    Args:
        notice: the target.
        plant: root of the plant, said in every message.
        items: what happened: ``id``, ``kind``, ``at``, ``subject``, ``words``, ``body``; an id comes again where a
            former try was not answered.
        secret: gives a secret by its name.

    """
    if notice.webhook:
        _post(notice, plant, items, secret)
    if notice.email:
        _mail(notice, plant, items, secret)


def _post(notice: Notice, plant: str, items: Sequence[Item], secret: Secret) -> None:
    body = msgspec.json.encode({"plant": plant, "notice": notice.name, "items": items})
    headers = {"Content-Type": "application/json", "User-Agent": "gemel"}
    if notice.key:
        headers[SIGNATURE] = "sha256=" + hmac.new(secret(notice.key).encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(notice.webhook, body, headers, method="POST")  # noqa: S310 - http(s) by the grammar
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S) as reply:
            reply.read(1)
    except (OSError, ValueError) as e:
        raise ConnectError(f"{notice.webhook} did not take the notice: {e}", remedy="it is tried again") from e


class _Straight(urllib.request.HTTPRedirectHandler):
    """A POST that is sent on elsewhere would become a GET without its body: it is refused."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_Straight)


def _mail(notice: Notice, plant: str, items: Sequence[Item], secret: Secret) -> None:
    where = urlsplit(notice.smtp)
    host, context = str(where.hostname), ssl.create_default_context()
    try:
        if where.scheme == "smtps":
            line: smtplib.SMTP = smtplib.SMTP_SSL(host, where.port or 465, timeout=TIMEOUT_S, context=context)
        else:
            line = smtplib.SMTP(host, where.port or 25, timeout=TIMEOUT_S)
        with line:
            line.ehlo()
            if where.scheme == "smtp" and line.has_extn("starttls"):
                line.starttls(context=context)
                line.ehlo()
            if notice.user:
                line.login(notice.user, secret(notice.password) if notice.password else "")
            line.send_message(_message(notice, plant, items))
    except (OSError, smtplib.SMTPException) as e:
        raise ConnectError(f"{notice.smtp} did not take the mail: {e}", remedy="it is tried again") from e


def _message(notice: Notice, plant: str, items: Sequence[Item]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = notice.sender or f"gemel@{socket.getfqdn()}"
    message["To"] = ", ".join(notice.email)
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    message["Subject"] = f"[{plant}] {_line(items[0])}{more}".replace("\n", " ")[:200]
    message["Message-ID"] = f"<{hashlib.sha256('|'.join(i['id'] for i in items).encode()).hexdigest()[:32]}@gemel>"
    message.set_content("\n".join(f"{i['at']}  {_line(i)}" for i in items) + "\n")
    return message


def _line(item: Item) -> str:
    level = item["body"].get("level", "")
    return f"{item['kind']} {item['subject']} {level}: {item['words']}".replace(" :", ":")
