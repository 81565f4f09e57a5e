"""What this machine can do, what was chosen and why, and what is missing."""

import os
import platform
import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from time import monotonic
from typing import Literal

from aigen import __version__, pipelines
from aigen.content import ContentFolder
from aigen.errors import AigenError, NotDelivered, ProviderError, UsageError
from aigen.models import catalogue, machine, weights
from aigen.orders import lifecycle, tasks, worker
from aigen.orders.context import Context
from aigen.pipelines import hosted
from aigen.pipelines.hosted.pipeline import Hosted
from aigen.pipelines.storybook import DRAWING_ADVICE
from aigen.settings import ENVIRONMENT, KEYRING, NAMES, Settings, settings_file
from aigen.store import Store
from aigen.times import utc_now
from aigen.types.request import KINDS

# An order of 5 and 5 takes about 15 MB; below this one is likely to fill the disk.
SPACE_NEEDED = 200_000_000
# Seconds to wait for the answers of providers about keys.
KEY_PATIENCE = 15.0


State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """`state`: ok; note (works, but could do more); wrong (orders cannot be made). `advice` says what to do."""

    name: str
    state: State
    text: str
    advice: str | None = None


def examine(content: ContentFolder, settings: Settings) -> list[Finding]:
    """Every finding, in the order a person would ask."""
    program = f"{__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return [
        Finding("aigen", "ok", program),
        Finding("processor", "ok", f"{os.cpu_count()} cores"),
        _works("GPU", _graphics, "diffusion models need it: pip install --force-reinstall 'torch>=2.6,<2.14'", "note"),
        *_models(settings),
        *_plugins(settings),
        *_hosted(settings),
        *_diffusion(settings),
        _works("drawing", _draw, DRAWING_ADVICE),
        _works("video encoder", _encode, "install the av package anew: pip install --force-reinstall av"),
        _folder(content),
        *_orders(content),
        *_notices(content),
        _mail(settings),
        *_settings(settings),
    ]


def try_channel(channel: str, content: ContentFolder, settings: Settings) -> Finding:
    """Send a test notice, and what happened. Raises UsageError when the settings for it are missing."""
    from aigen.notify import channels, links
    from aigen.notify.messages import Message

    channels.check([channel], settings)
    message = Message(
        key=f"test.{secrets.token_hex(8)}",
        event="completed",
        title="A test of aigen",
        heading="A test of aigen",
        prompt="",
        facts=("This is how you will be told that an order is ready.",),
        link=links.base_url(settings, content),
        written_at=utc_now(),
        served=links.is_served(content),
    )
    try:
        channels.send(channel, message, settings)
    except NotDelivered as error:
        return Finding(
            "notice",
            "wrong",
            f"not sent by {channels.display_name(channel)}: {channels.without_secrets(str(error), channel)}",
        )
    taken = {"terminal": "printed", "desktop": "the desktop has taken it"}
    told = taken.get(channel, f"{channels.display_name(channel)}: the server has taken it; see whether it arrives")
    return Finding("notice", "ok", told)


def _graphics() -> str:
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB (torch {torch.__version__})"
    if torch.backends.mps.is_available():
        return f"Apple GPU (torch {torch.__version__})"
    return f"none that torch {torch.__version__} can use; storybook needs none"


def _models(settings: Settings) -> Iterator[Finding]:
    load = partial(pipelines.load, settings=settings)
    for kind in KINDS:
        try:
            name, reason = pipelines.choose(kind, None, default=settings.model, load=load)
            pipeline = load(name)
            pipeline.check(tasks.usual_task(kind, pipeline))
            yield Finding(f"{kind}s", "ok", f"{catalogue.display_name(name)} ({reason}); {pipeline.abilities.label}")
        except AigenError as error:
            yield Finding(f"{kind}s", "wrong", str(error), "or choose another default: aigen models use storybook")


def _plugins(settings: Settings) -> Iterator[Finding]:
    """Findings on the pipelines of other packages."""
    for name, found in pipelines.registered().items():
        if found.package is not None:
            try:
                abilities = pipelines.load(name, settings).abilities
                paid = "; costs money" if abilities.paid else ""
                yield Finding(name, "ok", f"{abilities.label}{paid}; of the package {found.package}")
            except AigenError as error:
                yield Finding(name, "note", str(error))
    for name, found in pipelines.ignored():
        yield Finding(name, "note", f"the package {found.package} has a model of this name too, which is not used")


def _hosted(settings: Settings) -> Iterator[Finding]:
    """Findings on hosted providers: whether their keys are accepted, and which models retire soon."""
    default = settings.model or ""
    checked = {name: _check_key(hosted.load(name, settings), settings) for name in hosted.names()}
    for name in hosted.names():
        pipeline = hosted.load(name, settings)
        yield checked[name]()
        listed = [f"{name}:{model}" for model in pipeline.info.listed()] if pipeline.key_name else []
        for model in dict.fromkeys([*listed, *[default] * default.startswith(f"{name}:")]):
            if note := hosted.retirement(model):
                yield Finding(name, "note", note)


def _check_key(pipeline: Hosted, settings: Settings) -> Callable[[], Finding]:
    """Begin to check a key by a free call; what is returned waits for the answer, but not for long."""
    name, key = pipeline.info.name, pipeline.key_name
    is_default = (settings.model or "").partition(":")[0] == name
    if key is None:
        return lambda: Finding(name, "ok", f"no key; store one with aigen keys set {name}")
    try:
        settings.read(key)  # the keyring may ask the user for its password
    except UsageError as error:
        problem = Finding(name, "wrong" if is_default else "note", str(error))
        return lambda: problem
    answers: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(pipeline.check_key())
        except Exception as error:  # whatever a library stumbles over is the finding
            answers.put(error)

    threading.Thread(target=ask, name="key", daemon=True).start()
    until = monotonic() + KEY_PATIENCE

    def finding() -> Finding:
        try:
            answer = answers.get(timeout=max(0.0, until - monotonic()))
        except queue.Empty:
            answer = NotDelivered(f"{pipeline.info.title} has not answered within {KEY_PATIENCE:.0f} s")
        if not isinstance(answer, Exception):
            account = f"; {answer}" if answer else ""
            return Finding(name, "ok", f"{key} is accepted{account}; costs money, used only when you name it")
        refused = isinstance(answer, ProviderError) and answer.fault == "key"
        needed = is_default and (refused or isinstance(answer, UsageError))
        told = str(answer) if isinstance(answer, AigenError) else f"{type(answer).__name__}: {answer}"
        told = " ".join(settings.redact(told).split())
        source = settings.found_in.get(key, ENVIRONMENT)
        advice = f"aigen keys set {name}" if source.rank >= KEYRING.rank else f"change {key} in {source.place}"
        return Finding(name, "wrong" if needed else "note", told, advice if refused else None)

    return finding


def _diffusion(settings: Settings) -> Iterator[Finding]:
    """How each diffusion model that is here would be run, and why; those of the catalogue, and the default."""
    here = [model for model in catalogue.models().values() if weights.locate(model)]
    with suppress(UsageError):  # one that cannot be was told above
        if settings.model and settings.model not in pipelines.registered() and not hosted.is_hosted(settings.model):
            default = catalogue.find(settings.model)
            here += [default] if default not in here and weights.locate(default) else []
    if not here:
        yield Finding("diffusion", "ok", "no model is here", "see which suit: aigen models")
        return
    from aigen.models import device
    from aigen.pipelines import diffusion

    try:
        seen = device.detect_machine()
    except Exception as error:  # whatever torch does not find on this machine is the finding
        yield Finding("diffusion", "note", f"{type(error).__name__}: {error}", "install torch anew")
        return
    for model in here:
        try:
            pipeline = diffusion.load(model)
            task = tasks.usual_task(pipeline.abilities.kinds[0], pipeline)
            setup = machine.choose(seen, pipeline.find(), pipeline.memory_need(task))
            yield Finding(catalogue.display_name(model.name), "ok", f"{setup.device}: {'; '.join(setup.reasons)}")
        except AigenError as error:
            yield Finding(catalogue.display_name(model.name), "note", str(error))
    yield Finding("diffusion", "ok", "attention by torch (scaled dot product); not compiled: never measured to pay")


def _works(name: str, attempt: Callable[[], str], advice: str, otherwise: State = "wrong") -> Finding:
    try:
        return Finding(name, "ok", attempt())
    except Exception as error:  # whatever a library does not find on this machine is the finding
        return Finding(name, otherwise, f"{type(error).__name__}: {error}", advice)


def _draw() -> str:
    import skia

    skia.Surface(16, 16)
    return f"skia {version('skia-python')}"


def _encode() -> str:
    import av

    av.codec.Codec("libx264", "w")
    return f"H.264 by PyAV {av.__version__}"


def _folder(content: ContentFolder) -> Finding:
    root = content.root
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    text = f"{root}, {free / 1e9:.1f} GB free"
    if not os.access(place, os.W_OK):
        return Finding(
            "content folder", "wrong", f"{root} cannot be written", "choose another with --content or AIGEN_CONTENT"
        )
    if free < SPACE_NEEDED:
        return Finding("content folder", "wrong", text, "free some space")
    return Finding("content folder", "ok", text if root.exists() else f"{text}; it is made with the first order")


def _orders(content: ContentFolder) -> Iterator[Finding]:
    try:
        with Store.open(content) as store:
            context = Context(content, store)
            problems = store.problems(quick=True)
            orders, interrupted = store.generations(), lifecycle.interrupted(context)
            waiting = worker.due(context)
    except AigenError as error:
        yield Finding("store", "wrong", str(error))
        return
    for problem in problems:
        yield Finding("store", "wrong", problem, "restore a backup, or see aigen repair")
    text = f"{len(orders)} in the store"
    if interrupted:
        yield Finding("orders", "note", f"{text}, {len(interrupted)} interrupted", "finish them: aigen resume")
    else:
        yield Finding("orders", "ok", text)
    if worker.is_running(content):
        yield Finding("worker", "ok", "running")
    elif waiting:
        yield Finding("worker", "note", f"not running, {len(waiting)} orders wait for one", "start it: aigen worker")
    else:
        yield Finding("worker", "ok", "not running, and nothing waits for it")


def _notices(content: ContentFolder) -> Iterator[Finding]:
    from aigen.notify import daemon

    try:
        with Store.open(content) as store:
            status = daemon.read_status(content, store)
    except AigenError:
        return  # what is wrong with the store has been said
    if status.running or status.served:
        yield Finding("notices", "ok", "something runs that sends them")
    elif status.next_at:
        yield Finding("notices", "note", "some wait to be sent and nothing runs that does", "aigen notify-daemon")
    else:
        yield Finding("notices", "ok", "none wait to be sent; at a later time, aigen notify-daemon sends them")


def _mail(settings: Settings) -> Finding:
    from aigen.notify import mail

    try:
        server = mail.read_server(settings, needed_for="mailto:ADDRESS")
        told = f"{server.host}:{server.port} ({server.spoken}); try it: aigen doctor --notify mailto:ADDRESS"
        return Finding("mail", "ok", told)
    except AigenError as error:
        wrong = any(name.startswith("AIGEN_SMTP_") for name in settings.values)
        return Finding("mail", "wrong" if wrong else "ok", str(error) if wrong else "not set up; only mailto: needs it")


def _settings(settings: Settings) -> Iterator[Finding]:
    """The names of our settings that are set; never a value, some are secrets."""
    file = settings_file()
    secret = any(settings.is_secret(name) for name, source in settings.found_in.items() if source.place == str(file))
    if secret and os.name == "posix" and file.stat().st_mode & 0o077:
        yield Finding("settings", "note", f"others may read {file}, which holds a secret", f"chmod 600 {file}")
    names = sorted(name for name in settings.values if name.startswith("AIGEN_"))
    yield Finding("settings", "ok", ", ".join(names) or "none set: the defaults are used")
    if unknown := [name for name in names if name not in NAMES]:
        yield Finding("settings", "note", f"{', '.join(unknown)}: not known", "see README for their names")
