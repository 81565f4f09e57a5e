"""The styles that can be asked for; apart from `request`, so that `aigen --help` starts quickly."""

# One list for all pipelines. A pipeline that cannot do one says what it does instead.
STYLES = (
    "plain", "photorealistic", "dramatic", "cinematic", "watercolour", "paper-cut", "night", "poster",
)  # fmt: skip

PHOTOGRAPH = "photorealistic"

# What the pictures that are made from a user's are in, one after another, where nobody says a style.
STYLES_IN_TURN = ("plain", "dramatic", "photorealistic", "cinematic", "watercolour")
