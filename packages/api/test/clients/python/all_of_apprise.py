"""Sends notifications with the package apprise and prints, as JSON, which of them it counts as sent.

Arguments: host and port of the server, token of an application.
"""

import json
import sys

from apprise import Apprise, NotifyFormat

HOST, TOKEN = sys.argv[1:3]


def send(url, body, **options):
    sender = Apprise()
    if not sender.add(url):
        raise AssertionError("apprise cannot read this address")
    return bool(sender.notify(body=body, **options))


print(
    json.dumps(
        {
            "plain": send(f"gotify://{HOST}/{TOKEN}", "plain", title="title"),
            "untitled": send(f"gotify://{HOST}/{TOKEN}", "untitled"),
            "urgent": send(f"gotify://{HOST}/{TOKEN}?priority=emergency", "urgent", title="title"),
            "markdown": send(
                f"gotify://{HOST}/{TOKEN}?format=markdown",
                "**bold**",
                title="title",
                body_format=NotifyFormat.MARKDOWN,
            ),
            "refused": send(f"gotify://{HOST}/{TOKEN[:-1]}", "wrong token"),
        }
    )
)
