"""What a crash of the machine, a lost file or a hand in the folder may have damaged: found, and mended where it can be.

Orders that are being made are left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aigen.content import ContentFolder
from aigen.errors import AigenError, ContentError, UsageError
from aigen.media import provenance
from aigen.media.thumbnails import CAPTIONS, METADATA, thumbnail_paths, thumbnails
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.times import to_text
from aigen.types.pipeline import Provenance
from aigen.types.request import KINDS, GenerationRequest, Kind, check_user_id
from aigen.types.rows import Generation, Item

# The name of a finished file: its order, kind and number.
_NAME = re.compile(r"([a-z0-9]{8,12})-(image|video)-([1-9][0-9]{0,2})\.(png|jpg|webp|mp4)")
# A user id that was made by the program: it is itself the secret.
_MADE = re.compile(r"([a-z0-9]{4}-){4}[a-z0-9]{4}")
# Where files go that nobody knows anything of.
ASIDE = ".aside"


@dataclass(frozen=True)
class Damage:
    """Something that is not as it should be: of what sort, in words, and what is or would be done about it."""

    name: str
    text: str
    mending: str
    mended: bool = False


def repair(context: Context, dry_run: bool = False) -> Iterator[Damage]:
    """Yield every damage, as soon as it is mended; nothing is mended in a `dry_run`."""
    damages = [Damage("store", problem, "restore a backup: aigen restore FILE") for problem in context.store.problems()]
    yield from damages
    if damages:
        return  # what such a store says cannot be relied on
    yield from _find_files(context, dry_run)
    for order in context.store.generations():
        if not context.content.is_locked(order.generation_id):
            yield from _check_order(context, order, dry_run)
    yield from _check_search(context, dry_run)
    yield from _check_work(context, dry_run)


def _check_order(context: Context, order: Generation, dry_run: bool) -> Iterator[Damage]:
    """Check the files and thumbnails of one order."""
    missing = lifecycle.missing_files(context, order.generation_id)
    if missing:
        names = ", ".join(item.name for item in missing)
        if not dry_run:
            context.store.lose(order.generation_id, missing, "its file is gone")
        yield Damage(
            "missing files",
            f"{names} of order {order.generation_id}",
            f"planned again: aigen resume {order.generation_id}",
            not dry_run,
        )
    for item in context.store.items(order.generation_id):
        if item.state != "done" or item in missing:
            continue
        if all(path.exists() for path in thumbnail_paths(context.content, item).values()):
            continue
        text, mended = f"{item.name} of order {order.generation_id}", False
        if not dry_run:
            try:
                thumbnails(context.content, item)
                mended = True
            except ContentError as error:
                yield Damage("damaged file", f"{text}: {error}", "delete it, then run this again")
                continue
        yield Damage("missing thumbnails", text, "made again", mended)


def _find_files(context: Context, dry_run: bool) -> Iterator[Damage]:
    """Find files that no row knows: adopt those that say what they are, and set the others aside."""
    for folder in _user_folders(context.content):
        known = _known_files(context, folder.name)
        orphans: dict[str, list[Path]] = {}
        for path in sorted(folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match and path.is_file() and path.name not in known and not context.content.is_locked(match[1]):
                orphans.setdefault(match[1], []).append(path)
        for generation_id, paths in orphans.items():
            yield from _adopt(context, folder.name, generation_id, paths, dry_run)


def _user_folders(content: ContentFolder) -> Iterator[Path]:
    for folder in sorted(content.root.iterdir()) if content.root.is_dir() else []:
        if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith("."):
            try:
                check_user_id(folder.name)
            except UsageError:
                continue
            yield folder


def _known_files(context: Context, user_id: str) -> set[str]:
    return {
        Path(item.path).name
        for order in context.store.generations(user_id)
        for item in context.store.items(order.generation_id)
        if item.path
    }


def _adopt(context: Context, user_id: str, generation_id: str, paths: list[Path], dry_run: bool) -> Iterator[Damage]:
    """Write an order for files that say what they are; those of an order that exists are of no use to it."""
    told = [(path, said) for path in paths if (said := _read(path))]
    if told and context.store.generation(generation_id) is None:
        if not dry_run:
            order, items = _order_of(user_id, generation_id, told)
            context.store.adopt(order, bool(_MADE.fullmatch(user_id)), items)
        adopted = ", ".join(path.name for path, _ in told)
        yield Damage("files without rows", f"{adopted} in {user_id}", "adopted, as they say what they are", not dry_run)
        paths = [path for path in paths if path not in [each for each, _ in told]]
    if paths:
        names = ", ".join(path.name for path in paths)
        if not dry_run:
            _set_aside(context.content, user_id, paths)
        yield Damage("files without rows", f"{names} in {user_id}", f"moved to {ASIDE}/{user_id}", not dry_run)


def _read(path: Path) -> Provenance | None:
    """Return what a file of ours says of itself; None for others, and for damaged ones."""
    try:
        said = provenance.read(path)
    except AigenError:
        return None
    return said if said.prompt and said.model and said.seed is not None and said.source_type else None


def _order_of(user_id: str, generation_id: str, told: list[tuple[Path, Provenance]]) -> tuple[Generation, list[Item]]:
    """Return the order that files tell of, as a completed one."""
    _, first = told[0]
    counts = {kind: [path for path, _ in told if _part(path)[0] == kind] for kind in KINDS}
    models = {kind: next((said.model for path, said in told if _part(path)[0] == kind), None) for kind in KINDS}
    request = GenerationRequest(
        prompt=first.prompt or "",
        seed=first.seed or 0,
        images=len(counts["image"]),
        videos=len(counts["video"]),
        image_model=models["image"],
        video_model=models["video"],
        style=str(first.parameters.get("style") or "plain"),
        notify=(),
    )
    made_at = to_text(datetime.fromtimestamp(min(path.stat().st_mtime for path, _ in told), UTC))
    order = Generation(
        generation_id, user_id, request.prompt, request, "Completed", None, made_at, made_at, False, 1, None, None, 0.0
    )
    items = [
        Item(
            generation_id,
            *_part(path),
            said.seed or 0,
            said.model or "",
            "done",
            f"{user_id}/{path.name}",
            said.parameters,
        )
        for path, said in told
    ]
    return order, items


def _part(path: Path) -> tuple[Kind, int]:
    """Return the kind and number in the name of a file."""
    match = _NAME.fullmatch(path.name)
    assert match
    return ("image" if match[2] == "image" else "video"), int(match[3])


def _set_aside(content: ContentFolder, user_id: str, paths: list[Path]) -> None:
    folder = content.root / ASIDE / user_id
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        for each in (path, *(path.with_suffix(suffix) for suffix in (*CAPTIONS, *METADATA))):
            if each.exists():
                each.replace(folder / each.name)


def _check_search(context: Context, dry_run: bool) -> Iterator[Damage]:
    if count := context.store.unsearchable():
        if not dry_run:
            context.store.rebuild_search()
        yield Damage("search index", f"{count} entries are wrong", "written anew", not dry_run)


def _check_work(context: Context, dry_run: bool) -> Iterator[Damage]:
    """Check work folders and locks of orders that have ended or are unknown."""
    orders = {order.generation_id: order for order in context.store.generations()}
    unfinished = {name for name, order in orders.items() if order.status in ("Processing", "Failed")}
    content = context.content
    stale = [name for name in content.works() if name not in unfinished and not content.is_locked(name)]
    locks = [name for name in content.order_locks() if name not in unfinished and not content.is_locked(name)]
    if not dry_run:
        lifecycle.tidy(context)
        for name in locks:
            content.remove_lock(name)
    if stale:
        yield Damage("work folders", ", ".join(stale), "removed", not dry_run)
    if locks:
        yield Damage("locks", ", ".join(locks), "removed", not dry_run)
