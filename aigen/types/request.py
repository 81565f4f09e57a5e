"""What can be asked for: an order's request and its parts, each of which checks its own form.

Names of models and what they can do are checked by `orders.placing`, and so is whether a time is possible.
"""

import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from aigen.errors import UsageError
from aigen.types.addresses import is_address
from aigen.types.seen import ImageDescription
from aigen.types.styles import STYLES

Kind = Literal["image", "video"]
KINDS: tuple[Kind, ...] = ("image", "video")

PROMPT_LIMIT = 2000
COUNT_LIMIT = 100
SIDE_LIMITS = (16, 4096)
SEED_LIMIT = 2**32 - COUNT_LIMIT  # each item has the seed after the one before, and the last must fit 32 bits too

_USER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SIZE = re.compile(r"([0-9]{1,6})[xX×]([0-9]{1,6})")
# Nothing that could become another header, another recipient or an encoded word; `/`: mailto://… is no address.
_SERVICE = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Size:
    """Width and height in pixels, written `1280x720`."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> "Size":
        match = _SIZE.fullmatch(text)
        low, high = SIDE_LIMITS
        if not match or not all(low <= int(side) <= high for side in match.groups()):
            raise UsageError(
                f"size {text!r} is not usable: give WIDTHxHEIGHT with {low} to {high} pixels a side, such as 1024x1024"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Length:
    """Of a video: its frames, and how many of them a second has."""

    frames: int
    fps: int

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


DURATION_LIMITS, FPS_LIMIT, FRAMES_LIMIT = (0.25, 60.0), 60, 3600
DEFAULT_LENGTH = Length(96, 24)
DEFAULT_SIZES: dict[Kind, Size] = {"image": Size(1024, 1024), "video": Size(1280, 720)}


GUIDES = ("storybook",)
STEPS_LIMIT, GUIDANCE_LIMIT, STRENGTH_LEAST = 200, 50.0, 0.05


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a diffusion model can be told beside prompt, style, seed and size. None: as suits the model.

    `guidance` is how closely it keeps to the prompt (classifier-free guidance), `negative` what it is to keep out,
    `fast` a smaller decoder. `guide` names who draws the picture it starts from, and `strength` how much of that is
    made anew.
    """

    steps: int | None = None
    guidance: float | None = None
    negative: str | None = None
    fast: bool = False
    guide: str | None = None
    strength: float | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and not 1 <= self.steps <= STEPS_LIMIT:
            raise UsageError(f"steps is {self.steps}: give a number from 1 to {STEPS_LIMIT}")
        if self.guidance is not None and not 0 <= self.guidance <= GUIDANCE_LIMIT:
            raise UsageError(f"guidance is {self.guidance}: give a number from 0 to {GUIDANCE_LIMIT:g}")
        if self.negative is not None:
            check_text(self.negative, "negative prompt")
        if self.guide is not None and self.guide not in GUIDES:
            raise UsageError(f"guide {self.guide[:40]!r} is not known: choose from {', '.join(GUIDES)}")
        if self.strength is not None and not STRENGTH_LEAST <= self.strength <= 1:
            raise UsageError(f"strength is {self.strength}: give a number from {STRENGTH_LEAST} to 1")

    def explicit(self) -> dict[str, Any]:
        """The options that were set, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(Options)}
        return {name: value for name, value in values.items() if value is not None and value is not False}


Captions = Literal["burned", "srt", "off"]
Transition = Literal["fade", "cut"]
SCRIPT_LIMIT, SCENES_LIMIT = 200_000, 500


DEFAULT_VOICE = "hibari"


@dataclass(frozen=True, kw_only=True)
class Narration:
    """How a text is told in a video: in so many scenes (None: as suits it), in its `styles` in turn, by a voice.

    `music` is the suffix of the file that is played beneath it, if any; the file itself lies in the order's folder.
    """

    script: str
    scenes: int | None = None
    styles: tuple[str, ...] = ("plain", "dramatic", "photorealistic")
    voice: str = DEFAULT_VOICE
    captions: Captions = "burned"
    transition: Transition = "fade"
    music: str | None = None

    def __post_init__(self) -> None:
        if not self.script.strip():
            raise UsageError("the script is empty: write what shall be said")
        check_text(self.script, "script", SCRIPT_LIMIT)
        if self.scenes is not None and not 1 <= self.scenes <= SCENES_LIMIT:
            raise UsageError(f"scenes is {self.scenes}: give a number from 1 to {SCENES_LIMIT}, or auto")
        for style in self.styles:
            check_style(style)
        for name, value, known in (
            ("captions", self.captions, get_args(Captions)),
            ("transition", self.transition, get_args(Transition)),
        ):
            if value not in known:
                raise UsageError(f"{name} {value[:40]!r} is not known: choose from {', '.join(known)}")


@dataclass(frozen=True, kw_only=True)
class BaseRequest(Options):
    """The common fields of drafts and requests. It checks its own form; `orders.placing` checks model names."""

    images: int = 5
    videos: int = 5
    image_model: str | None = None
    video_model: str | None = None
    seed: int | None = None
    size: str | None = None
    duration: float | None = None  # of a video, in seconds
    fps: int | None = None
    frames: int | None = None
    notify_at: str | None = None
    notify: tuple[str, ...] = ("terminal",)
    from_picture: bool = False  # a picture of the user's is what they start from
    vision_model: str | None = None  # who looks at it
    narration: Narration | None = None  # its videos are narrated films
    first: int = 1  # the number of the first item of either kind; it is made from `seed`, the next from seed + 1
    max_cost: float | None = None  # in USD: the order may not cost more

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.is_narrated and not self.videos:
            raise UsageError("0 videos: it is the videos that are narrated")
        if self.is_narrated and (self.duration is not None or self.frames is not None):
            raise UsageError("a narrated video lasts as long as its words: leave out --duration and --frames")
        if self.vision_model and not self.from_picture:
            raise UsageError(
                "a vision model is of no use without a picture: add --from-image, or leave out --vision-model"
            )
        if self.guide and self.from_picture:
            raise UsageError("guide and picture are one too many: leave out --guide or --from-image")
        if self.strength is not None and not self.guide and not self.from_picture:
            raise UsageError("strength is of no use without a guide: add --guide storybook, or leave it out")
        for name, count in (("images", self.images), ("videos", self.videos)):
            if not 0 <= count <= COUNT_LIMIT:
                raise UsageError(f"{name} is {count}: give a number from 0 to {COUNT_LIMIT}")
        if self.images + self.videos == 0:
            raise UsageError("0 images and 0 videos: ask for at least one of either")
        if not 1 <= self.first <= COUNT_LIMIT:
            raise UsageError(f"the first item's number is {self.first}: give a number from 1 to {COUNT_LIMIT}")
        limit = 2**32 - max(self.images, self.videos)
        if self.seed is not None and not 0 <= self.seed <= limit:
            raise UsageError(f"seed {self.seed} is out of range: give a whole number from 0 to {limit}")
        if self.size is not None:
            Size.parse(self.size)
        if self.max_cost is not None and not 0 <= self.max_cost < math.inf:
            raise UsageError(f"max cost is {self.max_cost}: give an amount in USD, such as 2.50")
        self._check_length()
        for channel in self.notify:
            check_channel(channel)

    @property
    def is_narrated(self) -> bool:
        """Return whether its videos are narrated films."""
        return self.narration is not None

    def _check_length(self) -> None:
        given = {name: value for name in ("duration", "fps", "frames") if (value := getattr(self, name)) is not None}
        if given and not self.videos:
            raise UsageError(
                f"{' and '.join(given)} mean something for videos only, and none are asked for: leave them out"
            )
        if self.duration is not None and not math.isfinite(self.duration):
            raise UsageError(f"duration is {self.duration:g} s: give a number of seconds")
        if self.fps is not None and not 1 <= self.fps <= FPS_LIMIT:
            raise UsageError(f"fps is {self.fps}: give a number from 1 to {FPS_LIMIT}")
        if self.frames is not None and self.duration is not None and self.fps is not None:
            raise UsageError("duration, fps and frames are one too many: each follows from the other two")
        if self.frames is not None and not 1 <= self.frames <= FRAMES_LIMIT:
            raise UsageError(f"frames is {self.frames}: give a number from 1 to {FRAMES_LIMIT}")
        if self.frames is None or self.duration is not None or self.fps is not None:
            self.length()  # else it is the model that says how many frames a second has

    def length(self, usual: Length = DEFAULT_LENGTH, max_frames: int | None = None) -> Length:
        """How long its videos are, where they are `usual` unless told; then they have at most so many frames.

        Raises UsageError when no video can be so long, or so short.
        """
        fps = self.fps or usual.fps
        if self.frames is not None and self.duration:
            fps = max(1, round(self.frames / self.duration))
        seconds = usual.seconds if self.duration is None else self.duration
        frames = self.frames
        if frames is None:
            frames = round(seconds * fps) if math.isfinite(seconds) else 0
        if self.frames is None and self.duration is None and max_frames:
            frames = min(frames, max_frames)
        low, high = DURATION_LIMITS
        if fps > FPS_LIMIT:
            raise UsageError(
                f"{frames} frames in {self.duration:g} s are {fps} a second: at most {FPS_LIMIT} can be made"
            )
        if frames < 1 or not low <= frames / fps <= high:
            told = f"{frames} frames at {fps} a second last {frames / fps:g} s"
            if self.frames is None and self.duration is not None:
                told = f"duration is {self.duration:g} s"
            raise UsageError(f"{told}: a video can last {low:g} to {high:g} seconds")
        return Length(frames, fps)

    def count(self, kind: Kind) -> int:
        return self.images if kind == "image" else self.videos

    def options(self) -> Options:
        return Options(**self.explicit())

    def model_for(self, kind: Kind) -> str | None:
        """The model asked for by name for items of this kind alone, if any; `model` is for both kinds."""
        return self.image_model if kind == "image" else self.video_model

    def size_for(self, kind: Kind, usual: Size) -> Size:
        """The size of items of this kind; a video's sides are even, as H.264 in yuv420p needs them."""
        size = Size.parse(self.size) if self.size else usual
        return Size(size.width & ~1, size.height & ~1) if kind == "video" else size


@dataclass(frozen=True, kw_only=True)
class Draft(BaseRequest):
    """An order as the user asked for it. Missing values are resolved when it is placed.

    The default `prompt` describes the picture that the order starts from. `model` is for both kinds. The default
    `style` is `plain`; images from a picture use several styles in turn. `narrate` narrates the prompt, or the
    description of the picture, unless there is a `narration`. `yes` agrees to what it costs.
    """

    prompt: str | None = None
    model: str | None = None
    style: str | None = None
    narrate: bool = False
    yes: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prompt is not None or not self.from_picture:
            check_prompt(self.prompt or "")
        if self.style is not None:
            check_style(self.style)

    @property
    def is_narrated(self) -> bool:
        return self.narrate or super().is_narrated


@dataclass(frozen=True, kw_only=True)
class GenerationRequest(BaseRequest):
    """A resolved order, as the store keeps it: models, seed, style, and the notification time in UTC.

    `seen` describes the picture that it starts from. If there are `styles`, its images use them in turn.
    """

    prompt: str
    seed: int = field()  # which has no default here
    style: str = "plain"
    seen: ImageDescription | None = None
    styles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_prompt(self.prompt)

    def draft(self, **changes: Any) -> Draft:
        """Return a draft of the same order."""
        common = {each.name: getattr(self, each.name) for each in fields(Draft) if hasattr(self, each.name)}
        return Draft(**common | changes)

    def as_json(self) -> dict[str, Any]:
        """Return it as the store keeps it."""
        return {**asdict(self), "seen": self.seen.as_json() if self.seen else None}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "GenerationRequest":
        """Read a request as the store keeps it, also from earlier versions."""
        known = {each.name for each in fields(cls)}
        told: dict[str, Any] = {
            name: tuple(each) if isinstance(each, list) else each for name, each in value.items() if name in known
        }
        if narration := told.get("narration"):
            told["narration"] = Narration(**{**narration, "styles": tuple(narration.get("styles", ()))})
        if seen := told.get("seen"):
            told["seen"] = ImageDescription.from_json(seen)
        return cls(**told)


@dataclass(frozen=True)
class Attachments:
    """Files of the user's that come with a request: the picture that it starts from,
    and the music of a narrated film.
    """

    picture: Path | None = None
    music: Path | None = None


NO_ATTACHMENTS = Attachments()


def check_prompt(prompt: str) -> None:
    if not prompt.strip():
        raise UsageError("the prompt is empty: say what the pictures and videos shall show")
    check_text(prompt, "prompt")


def check_style(style: str) -> None:
    if style not in STYLES:
        raise UsageError(f"style {style[:40]!r} is not known: choose from {', '.join(STYLES)}")


def check_text(text: str, name: str, limit: int = PROMPT_LIMIT) -> None:
    if len(text) > limit:
        raise UsageError(f"the {name} has {len(text)} characters: the limit is {limit}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the {name} is not valid text: it must be UTF-8") from None


def check_user_id(user_id: str) -> None:
    if not _USER_ID.fullmatch(user_id):
        raise UsageError(f"user id {user_id[:80]!r} is not usable: give 1 to 64 of A-Z a-z 0-9 _ -")


def check_channel(channel: str) -> None:
    """A channel is `terminal`, `desktop`, `mailto:ADDRESS`, or the URL of a messenger as Apprise writes it."""
    if channel in ("terminal", "desktop"):
        return
    if channel.startswith("mailto:"):
        if not is_address(channel.removeprefix("mailto:")):
            shown = "mailto://…" if channel.startswith("mailto://") else channel[:80]  # Apprise's form has a password
            raise UsageError(f"channel {shown!r} has no usable address: write mailto:ana@example.org")
    elif len(channel) > 1000 or not channel.isprintable() or not _SERVICE.fullmatch(channel):
        scheme, separator, _ = channel.partition("://")  # what follows may be a secret
        shown = f"{scheme[:40]}://…" if separator else channel[:80]
        raise UsageError(
            f"channel {shown!r} is not known: use terminal, desktop, mailto:ADDRESS "
            "or the URL of a messenger, such as ntfy://TOPIC"
        )
