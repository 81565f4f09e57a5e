"""What one web user may take: minutes of work within a day, and bytes on the disk."""

from aigen.content import ContentFolder
from aigen.errors import UsageError
from aigen.orders import tasks
from aigen.orders.context import Context
from aigen.pipelines import moving_scenes
from aigen.settings import Settings
from aigen.types.request import KINDS, GenerationRequest, Kind, Narration
from aigen.types.rows import Quota, Workload

# What holds on a public gallery where nothing is set.
PUBLIC_MINUTES, PUBLIC_DISK = 480, "20GB"
# Seconds that an item takes, and a film for each of its seconds, where no order before tells.
USUAL_SECONDS: dict[Kind, float] = {"image": 5.0, "video": 30.0}
USUAL_FILM_PACE, SECONDS_PER_SCENE = 2.0, 8.0
# Rather more than files have: bytes for each pixel of a picture, and of each frame of a video.
IMAGE_BYTES, VIDEO_BYTES = 1.5, 0.02
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def read_limits(settings: Settings, public: bool) -> tuple[float | None, int | None]:
    """The seconds of work that a user may order within a day, and the bytes that their files may have; None: no limit.

    Raises UsageError.
    """
    minutes, disk = settings.values.get("AIGEN_MAX_MINUTES"), settings.values.get("AIGEN_MAX_DISK")
    seconds = 60.0 * settings.number("AIGEN_MAX_MINUTES", PUBLIC_MINUTES) if minutes or public else None
    return seconds, _read_size(disk or PUBLIC_DISK) if disk or public else None


def _read_size(text: str) -> int:
    number, unit = text[:-2].strip(), text[-2:].upper()
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10 and int(number) and unit in _UNITS):
        raise UsageError(f"AIGEN_MAX_DISK {text[:80]!r} is not usable: give a size such as 500MB or 20GB")
    return int(number) * _UNITS[unit]


def quota_for(context: Context, request: GenerationRequest, user_id: str) -> Quota | None:
    """What a user may take, where that is limited, and what this order takes of it."""
    if context.max_seconds is None and context.max_bytes is None:
        return None
    used = size_of(context.content, user_id)
    return Quota(context.max_seconds, context.max_bytes, used, expect(context, request))


def size_of(content: ContentFolder, user_id: str) -> int:
    """The bytes of a user's files, with what was derived from them."""
    return sum(
        path.lstat().st_size
        for folder in (content.user(user_id), content.thumbs(user_id))
        if folder.is_dir()
        for path in folder.iterdir()
    )


def expect(context: Context, request: GenerationRequest) -> Workload:
    """What an order takes, as far as can be said: from how long like items took lately, else from usual ones."""
    seconds = size = 0.0
    for kind in KINDS:
        model = request.model_for(kind)
        if not model or not request.count(kind):
            continue
        pipeline = context.pipeline(model)
        task = tasks.task_of(request, kind, pipeline)
        pixels = task.size.width * task.size.height
        if kind == "video" and request.narration:
            length = _length(request.narration)
            pace = context.store.film_pace(request.image_model or "") or _usual_film_pace(context, request)
            each, bytes_each = length * pace, length * task.fps * pixels * VIDEO_BYTES
        else:
            picture_by = tasks.picture_by(request, pipeline)
            each = context.store.pace(kind, model, request, picture_by) or USUAL_SECONDS[kind]
            bytes_each = pixels * (IMAGE_BYTES if kind == "image" else task.frames * VIDEO_BYTES)
        seconds += each * request.count(kind)
        size += bytes_each * request.count(kind)
    return Workload(seconds, round(size))


def _usual_film_pace(context: Context, request: GenerationRequest) -> float:
    """Seconds for each second of a film, with the pictures for its scenes where they are not drawn in motion."""
    model = request.image_model
    if model is None or moving_scenes(model):
        return USUAL_FILM_PACE
    picture = context.store.pace("image", model, request) or USUAL_SECONDS["image"]
    return USUAL_FILM_PACE + picture / SECONDS_PER_SCENE


def _length(narration: Narration) -> float:
    """About how many seconds a film has."""
    from aigen.film import script, speech

    return sum(speech.seconds_of(sentence.text) + sentence.pause for sentence in script.split(narration.script))
