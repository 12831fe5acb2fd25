"""The log of a community that is made, and how it looks beside real ones.

    python benchmarks/community_log.py [MEMBERS]

prints the shape of the made log and that of a real one where it is there. The log is fitted to
a Stack Exchange site (bicycles.meta, complete): one member in eight has ever posted; of the
posts the most active hundredth writes three in ten and the most active tenth seven in ten; a
thread has 8.5 posts, its length is geometric, and about half as many people; a post answers the
one before, the first, or any other; 1.46 likes for each post. Posters have a topic, of 500 that
differ in size, and post elsewhere one time in seven. Who likes is not known in those dumps: here
half of the likes come from the posters of the topic, half from members who never post. Left out
is that people come and go.
"""

from __future__ import annotations

import gzip
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
from numpy.typing import NDArray


MEMBERS, POSTS_A_DAY, DAYS = 1_300_000, 6_000, 730
MAY_POST, MAY_LIKE = 0.2, 0.28
SPREAD, SPREAD_OF_LIKES = 2.2, 1.86
MEMBERS_A_TOPIC, ELSEWHERE = 2_600, 0.15
POSTS_A_THREAD, LIKES_A_POST = 8.55, 1.46
NEW_FACE, TIRING = 0.8, -0.4
TO_THE_FIRST, TO_THE_LAST = 0.35, 0.45
KINDS = ("question", "answer", "comment", "like")
LIKE = KINDS.index("like")
START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = 3_600_000_000, 86_400_000_000
WARM_UP = 60 * DAY
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

Ints = NDArray[np.int64]


class Posters:
    """Who may post: each has a topic and is drawn in proportion to how active they are."""

    def __init__(self, count: int, topics: int, rng: np.random.Generator) -> None:
        self._rng = rng
        activity = rng.lognormal(sigma=SPREAD, size=count)
        size = 1 / (np.arange(topics) + 10)
        topic = np.sort(rng.choice(topics, count, p=size / size.sum()))
        self._edges = np.searchsorted(topic, np.arange(topics + 1))
        self._posting = np.concatenate([[0.0], np.cumsum(activity)])
        self._asking = np.concatenate([[0.0], np.cumsum(activity**0.7)])
        self.volume = np.diff(self._posting[self._edges])

    def draw(self, topic: Ints, *, asking: bool = False) -> Ints:
        """One poster for each topic; some are at home elsewhere."""
        total = self._asking if asking else self._posting
        low, high = total[self._edges[topic]], total[self._edges[topic + 1]]
        elsewhere = self._rng.random(len(topic)) < ELSEWHERE
        low, high = np.where(elsewhere, 0.0, low), np.where(elsewhere, total[-1], high)
        at = low + self._rng.random(len(topic)) * (high - low)
        return np.minimum(np.searchsorted(total, at, side="right") - 1, len(total) - 2)


def make(members: int = MEMBERS, *, seed: int = 7) -> pl.DataFrame:
    """Two years and a day of a community, in order of time."""
    rng = np.random.default_rng(seed)
    topics = max(members // MEMBERS_A_TOPIC, 4)
    posters = Posters(round(MAY_POST * members), topics, rng)
    posts = write_posts(posters, members, rng)
    likes = give_likes(posts, posters, members, rng)
    order = np.argsort(np.concatenate([posts["time"], likes["time"]]), kind="stable")
    rows = {name: np.concatenate([posts[name], likes[name]])[order] for name in likes}
    names = pl.Series([f"member-{number:07d}" for number in rng.permutation(members)])
    acts = pl.DataFrame(rows).with_columns(
        pl.col("target", "in_reply_to").replace(-1, None),
        kind=pl.Series(KINDS).gather(rows["kind"]),
        time=(pl.col("time") + int(START.timestamp() * 1e6)).cast(pl.Datetime("us", "UTC")),
        id=pl.format("p{}", "id"),
        thread=pl.format("t{}", "thread"),
        about=pl.format("topic-{}", "about"),
    )
    return acts.with_columns(
        source=names.gather(acts["source"]),
        target=names.gather(acts["target"]),
        in_reply_to=pl.format("p{}", "in_reply_to"),
    )


def write_posts(posters: Posters, members: int, rng: np.random.Generator) -> dict[str, Ints]:
    """Threads of questions, answers and comments, one place after the other."""
    a_day = POSTS_A_DAY * members / MEMBERS
    wanted = round(a_day * (DAYS + 1))
    threads = round((a_day * (DAYS + 2) + a_day * WARM_UP / DAY) / POSTS_A_THREAD)
    size = np.sort(rng.geometric(1 / POSTS_A_THREAD, threads))[::-1]
    first = np.cumsum(size) - size
    topic = rng.choice(len(posters.volume), threads, p=posters.volume / posters.volume.sum())
    author, time = np.empty((2, size.sum()), dtype=np.int64)
    parent = np.full(size.sum(), -1)
    author[first] = posters.draw(topic, asking=True)
    time[first] = rng.integers(-WARM_UP, (DAYS + 2) * DAY, threads)
    for place in range(1, size[0]):
        start = first[: np.searchsorted(-size, -place)]
        count = len(start)
        here, chance, earlier = start + place, rng.random(count), rng.integers(0, place, count)
        known = author[start + rng.integers(0, place, count)]
        is_new = rng.random(count) < NEW_FACE * place**TIRING
        author[here] = np.where(is_new, posters.draw(topic[:count]), known)
        back = np.where(chance < TO_THE_FIRST + TO_THE_LAST, place - 1, earlier)
        parent[here] = start + np.where(chance < TO_THE_FIRST, 0, back)
        time[here] = time[here - 1] + (rng.lognormal(np.log(2), 1.8, count) * HOUR).astype(int)
    thread = np.repeat(np.arange(threads), size)
    inside = np.flatnonzero(time < (DAYS + 2) * DAY)
    kept = inside[np.argsort(time[inside], kind="stable")][-wanted:]
    to_the_first = (parent == first[thread]) & (author != author[first[thread]])
    kind = np.where(parent < 0, 0, np.where(to_the_first, 1, 2))
    posts = {
        "id": np.arange(len(author)),
        "time": time,
        "kind": kind,
        "source": author,
        "target": np.where(parent < 0, -1, author[parent]),
        "thread": thread,
        "in_reply_to": parent,
        "about": topic[thread],
    }
    return {name: column[kept] for name, column in posts.items()}


def give_likes(
    posts: dict[str, Ints], posters: Posters, members: int, rng: np.random.Generator
) -> dict[str, Ints]:
    """Likes of posts, some liked far more than others, until the last post."""
    count = round(LIKES_A_POST * len(posts["id"]))
    charm = np.cumsum(rng.lognormal(sigma=0.8, size=len(posts["id"])))
    liked = np.searchsorted(charm, rng.random(count) * charm[-1])
    readers = np.cumsum(rng.lognormal(sigma=SPREAD_OF_LIKES, size=round(MAY_LIKE * members)))
    reader = round(MAY_POST * members) + np.searchsorted(readers, rng.random(count) * readers[-1])
    who = np.where(rng.random(count) < 0.5, posters.draw(posts["about"][liked]), reader)
    time = posts["time"][liked] + (rng.lognormal(np.log(3), 1.5, count) * HOUR).astype(int)
    kept = (time <= posts["time"][-1]) & (who != posts["source"][liked])
    liked, who, time = liked[kept], who[kept], time[kept]
    return {
        "id": posts["id"].max() + 1 + np.arange(len(liked)),
        "time": time,
        "kind": np.full(len(liked), LIKE),
        "source": who,
        "target": posts["source"][liked],
        "thread": posts["thread"][liked],
        "in_reply_to": posts["id"][liked],
        "about": posts["about"][liked],
    }


def read_site(folder: Path) -> pl.DataFrame:
    """The posts of a Stack Exchange site as the made log has them; a comment goes to its post."""
    posts = {row["Id"]: row for row in _read_xml(folder / "Posts.xml.gz")}
    rows = []
    for row in posts.values():
        question = posts.get(row.get("ParentId", ""))
        if row["PostTypeId"] == "1":
            rows.append(("question", row, None, row["Id"]))
        elif row["PostTypeId"] == "2" and question is not None:
            rows.append(("answer", row, question.get("OwnerUserId"), question["Id"]))
    for row in _read_xml(folder / "Comments.xml.gz"):
        post = posts.get(row["PostId"], {})
        thread = post.get("ParentId", post.get("Id"))
        rows.append(("comment", row, post.get("OwnerUserId"), thread))
    return pl.DataFrame(
        {
            "kind": [kind for kind, *_ in rows],
            "source": [row.get("OwnerUserId", row.get("UserId")) for _, row, *_ in rows],
            "target": [target for *_, target, _ in rows],
            "thread": [thread for *_, thread in rows],
            "time": [row["CreationDate"] for _, row, *_ in rows],
        }
    ).with_columns(pl.col("time").str.to_datetime())


def _read_xml(path: Path) -> list[dict[str, str]]:
    with gzip.open(path) as file:
        return [dict(row.attrib) for row in ET.parse(file).getroot()]


def shape(acts: pl.DataFrame) -> dict[str, Any]:
    """How participation is spread in a log, its likes aside."""
    posts = acts.filter(pl.col("kind") != "like").drop_nulls(["source", "thread"])
    each = posts["source"].value_counts()["count"].sort(descending=True)
    others = posts.filter(pl.col("source") != pl.col("target"))
    arcs = others.group_by("source", "target").len()
    ends = pl.min_horizontal("source", "target"), pl.max_horizontal("source", "target")
    pairs = arcs.select(a=ends[0], b=ends[1]).n_unique()
    threads = posts.group_by("thread").agg(pl.len(), people=pl.col("source").n_unique())
    days = posts.select("source", "kind", pl.col("time").dt.date()).n_unique()
    return {
        "posts": posts.height,
        "people who posted": len(each),
        "posts of one, mean": each.mean(),
        "posts of one, median": each.median(),
        "posted once": (each == 1).mean(),
        "share of the busiest 1 %": each.head(len(each) // 100).sum() / each.sum(),
        "share of the busiest 10 %": each.head(len(each) // 10).sum() / each.sum(),
        "posts of a thread, mean": threads["len"].mean(),
        "posts of a thread, median": threads["len"].median(),
        "posts of a thread, 90 %": threads["len"].quantile(0.9),
        "posts of a thread, 99 %": threads["len"].quantile(0.99),
        "people of a thread": threads["people"].mean(),
        "answers to oneself": (posts["source"] == posts["target"]).mean(),
        "acts of a directed pair": others.height / arcs.height,
        "directed pairs with one act": (arcs["len"] == 1).mean(),
        "directed pairs answered": 2 * (arcs.height - pairs) / arcs.height,
        "directed pairs a person": arcs.height / len(each),
        "posts of a person, kind and day": posts.height / days,
    }


def main(members: int = MEMBERS) -> None:
    """Print the shape of the made log and of a real one."""
    logs = {"made": shape(make(members))}
    site = SHARED / "formats" / "stackexchange"
    if site.is_dir():
        logs["Stack Exchange"] = shape(read_site(site))
    print(f"{'':<34}", *(f"{name:>14}" for name in logs))
    for name in logs["made"]:
        print(f"{name:<34}", *(f"{log[name]:>14,.2f}" for log in logs.values()))


if __name__ == "__main__":
    main(*(int(arg) for arg in sys.argv[1:]))
