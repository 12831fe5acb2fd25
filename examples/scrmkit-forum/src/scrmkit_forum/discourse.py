"""Topics as Discourse's API gives them, as tables of interactions."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from scrmkit import UnreadableFile


SMALL_ACTION, WHISPER = 3, 4  # post_type: 1 is a post, 2 a moderator's


def read(path: Any) -> Iterator[dict[str, list[Any]]]:
    """One table for each topic: a file of JSON, or a folder with some.

    A post answers the post that it names, else whoever opened the topic. Posts that Discourse
    counts and left for another page come back as rejected.
    """
    path = Path(path)
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        posts, missing = _posts(file)
        authors = {post.get("post_number"): post for post in posts if _is_post(post)}
        rows = [_row(post, authors) for post in posts]
        rows += [{"id": one, "rejected": "a post on another page"} for one in missing]
        yield {name: [row.get(name) for row in rows] for name in COLUMNS}


def _posts(file: Path) -> tuple[list[Any], list[int]]:
    """The posts of a topic, and the ids of those that are on another page."""
    try:
        stream = json.loads(file.read_bytes())["post_stream"]
        posts = list(stream["posts"])
    except (ValueError, KeyError, TypeError):
        message = f"{file.name} is no topic of Discourse: /t/{{id}}.json gives one"
        raise UnreadableFile(message) from None
    there = {post.get("id") for post in posts if isinstance(post, dict)}
    return posts, [one for one in stream.get("stream") or [] if one not in there]


COLUMNS = (
    "id", "time", "kind", "source", "target", "channel", "thread", "in_reply_to", "text",
    "public", "automated", "likes", "rejected",
)  # fmt: skip


def _is_post(post: Any) -> bool:
    needed = ("id", "post_number", "created_at", "username", "topic_id")
    return isinstance(post, dict) and all(post.get(name) for name in needed)


def _row(post: Any, authors: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if not _is_post(post):
        found = post.get("id") if isinstance(post, dict) else None
        return {"id": found, "rejected": "a post without id, number, time, author or topic"}
    opener = post["post_number"] == 1
    named = authors.get(post.get("reply_to_post_number"))
    author = None if opener else _answered(post, named, authors.get(1))
    likes = [each.get("count", 0) for each in post.get("actions_summary", ()) if each["id"] == 2]
    return {
        "id": post["id"],
        "time": post["created_at"],
        "kind": _kind(post, opener),
        "source": post["username"],
        "target": author if author != post["username"] else None,
        "channel": "forum",
        "thread": post["topic_id"],
        "in_reply_to": named["id"] if named else None,
        "text": _text(post.get("cooked", "")),
        "public": post.get("post_type") != WHISPER,
        "automated": post.get("post_type") == SMALL_ACTION,
        "likes": sum(likes),
    }


def _answered(post: dict[str, Any], named: Any, opening: Any) -> str | None:
    """Who is answered; None where the page does not say."""
    if not post.get("reply_to_post_number"):
        return opening["username"] if opening else None
    return (named or post.get("reply_to_user") or {}).get("username")


def _kind(post: dict[str, Any], opener: bool) -> str:
    if post.get("post_type", 1) != 1:
        return "moderation"
    if opener:
        return "topic"
    if post.get("accepted_answer"):
        return "solution"
    return "reply" if post.get("reply_to_post_number") else "comment"


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _text(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    parser.close()
    return " ".join(" ".join(parser.words).split())
