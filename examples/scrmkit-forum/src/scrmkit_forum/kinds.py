"""What people do on a forum, and what it counts for."""

from scrmkit import Kind, Vocabulary


forum = Vocabulary(
    name="forum",
    version="1",
    kinds=[
        Kind(
            name="topic", family="contribution", tie_weight=1, engagement_weight=3,
            reason="Opens a conversation in which others take part.",
        ),
        Kind(
            name="solution", family="contribution", tie_weight=3, engagement_weight=6,
            reason="Whoever asked says that it helped.",
        ),
        Kind(
            name="moderation", family="service", tie_weight=0, engagement_weight=1,
            reason="Keeps the place clean; it is work, not a relationship.",
        ),
    ],
)  # fmt: skip
