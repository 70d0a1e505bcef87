"""Calls everything that the package gotify can do and prints the results as one JSON object.

Arguments: address of the server, token of an application, token of an elevated client of an admin.
"""

import asyncio
import base64
import io
import json
import sys

from gotify import AsyncGotify, Gotify, GotifyError

BASE, APP_TOKEN, CLIENT_TOKEN = sys.argv[1:4]
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STREAMED = 5


def error_of(call):
    """What the server refused."""
    try:
        call()
    except GotifyError as error:
        return error.error
    raise AssertionError("The server should have refused this")


def applications(gotify):
    made = gotify.create_application("made", "by python", 3)
    changed = gotify.update_application(made["id"], "changed", "by python", 4)
    picture = io.BytesIO(PICTURE)
    picture.name = "picture.png"
    with_picture = gotify.upload_application_image(made["id"], picture)
    listed = [application["id"] for application in gotify.get_applications()]
    deleted = gotify.delete_application(made["id"])
    gone = error_of(lambda: gotify.delete_application(made["id"]))
    return {
        "made": made,
        "changed": changed,
        "withPicture": with_picture,
        "listed": made["id"] in listed,
        "deleted": deleted,
        "gone": gone,
    }


def messages(gotify):
    extras = {"client::display": {"contentType": "text/markdown"}}
    made = gotify.create_message("first <b>", extras=extras, priority=7, title="title")
    second = gotify.create_message("second")
    third = gotify.create_message("third")
    page = gotify.get_messages(limit=2)
    rest = gotify.get_messages(limit=2, since=page["paging"]["since"])
    of_application = gotify.get_messages(app_id=made["appid"])
    deleted = [
        gotify.delete_message(third["id"]),
        gotify.delete_messages(app_id=made["appid"]),
        gotify.delete_messages(),
    ]
    return {
        "made": made,
        "published": [made["id"], second["id"], third["id"]],
        "page": page,
        "rest": rest,
        "ofApplication": len(of_application["messages"]),
        "deleted": deleted,
        "left": gotify.get_messages(),
    }


def clients(gotify):
    made = gotify.create_client("made")
    changed = gotify.update_client(made["id"], "changed")
    listed = [client["id"] for client in gotify.get_clients()]
    return {
        "made": made,
        "changed": changed,
        "listed": made["id"] in listed,
        "deleted": gotify.delete_client(made["id"]),
    }


def users(gotify):
    made = gotify.create_user("python", "secret", False)
    return {
        "current": gotify.get_current_user(),
        "made": made,
        "got": gotify.get_user(made["id"]),
        "changed": gotify.update_user(made["id"], "python3", "secret", True),
        "listed": made["id"] in [user["id"] for user in gotify.get_users()],
        "deleted": gotify.delete_user(made["id"]),
        "password": gotify.set_password("admin"),
    }


def plugins(gotify):
    calls = {
        "config": gotify.get_plugin_config,
        "setConfig": gotify.update_plugin_config,
        "disable": gotify.disable_plugin,
        "display": gotify.get_plugin_display,
        "enable": gotify.enable_plugin,
    }
    refused = {name: error_of(lambda: call(1)) for name, call in calls.items()}
    return {"listed": gotify.get_plugins(), "refused": refused}


async def stream(gotify):
    """Publishes until the stream delivers, then some more: what came, and what is due from there."""
    came, published = [], []
    messages = gotify.stream()
    first = asyncio.ensure_future(messages.__anext__())
    while not first.done():
        published.append(await gotify.create_message(f"number {len(published)}"))
        await asyncio.wait([first], timeout=0.05)
    came.append(first.result())
    while len(published) < STREAMED:
        published.append(await gotify.create_message(f"number {len(published)}"))
    while came[-1]["id"] < published[-1]["id"]:
        came.append(await messages.__anext__())
    await messages.aclose()
    due = [message for message in published if message["id"] >= came[0]["id"]]
    return {"came": came, "due": due}


async def main():
    tokens = {"base_url": BASE, "app_token": APP_TOKEN, "client_token": CLIENT_TOKEN}
    with Gotify(**tokens) as gotify:
        result = {
            "health": gotify.get_health(),
            "version": gotify.get_version(),
            "applications": applications(gotify),
            "messages": messages(gotify),
            "clients": clients(gotify),
            "users": users(gotify),
            "plugins": plugins(gotify),
        }
    async with AsyncGotify(**tokens) as gotify:
        result["stream"] = await stream(gotify)
    print(json.dumps(result))


asyncio.run(main())
