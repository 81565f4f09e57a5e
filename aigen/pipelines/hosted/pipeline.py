"""The pipeline of hosted providers: what their models can do and cost, and what is asked of them."""

import io
import pkgutil
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import replace
from pathlib import Path

from aigen.errors import GenerationError, KeyMissing, StillRunning, UsageError
from aigen.pipelines.hosted import families
from aigen.pipelines.hosted.batch import Batch, Wanted
from aigen.pipelines.hosted.downloads import Downloads
from aigen.pipelines.hosted.families import Family, ProviderInfo
from aigen.pipelines.hosted.jobs import Patience, Purchases
from aigen.pipelines.hosted.lanes import lane
from aigen.pipelines.hosted.provider import Access, ItemRequest, Provider, shorten
from aigen.pipelines.prompts import styled
from aigen.settings import KEYRING, Settings
from aigen.types.pipeline import Abilities, Failure, Job, Output, Picture, Run, Task
from aigen.types.request import DEFAULT_LENGTH, DEFAULT_SIZES, DEFAULT_VOICE, KINDS, Kind, Length, Size

_MODULES = {
    "runway": "aigen.pipelines.hosted.runway:Runway",
    "openai": "aigen.pipelines.hosted.openai:OpenAI",
    "gemini": "aigen.pipelines.hosted.gemini:Gemini",
    "pictory": "aigen.pipelines.hosted.pictory:Pictory",
    "huggingface": "aigen.pipelines.hosted.huggingface:HuggingFace",
}
# The longer side in pixels of a picture that is sent, and the quality of its JPEG: below 5 MB as a data URL.
_PICTURE_SIDE, _PICTURE_QUALITY = 2048, 90


class Hosted:
    """The pipeline of a provider, with one model or its default ones."""

    def __init__(self, name: str, settings: Settings) -> None:
        provider, _, self._model = name.partition(":")
        self.name, self._settings = name, settings
        self.info: ProviderInfo = families.providers()[provider]
        if ":" in name and not self._model.strip():
            raise UsageError(f"model {name!r} names no model: write {provider}, or {provider}:{self.info.listed()[0]}")

    @property
    def abilities(self) -> Abilities:
        # A provider by itself says what its usual models can do; which one makes an item depends on its kind.
        kinds = self.info.family(self._model).kinds if self._model else self.info.kinds
        by_kind = {kind: self._choose(kind)[1] for kind in kinds}
        starts_from = next(iter(by_kind.values())).starts_from
        videos = by_kind.get("video")
        duration = videos.duration if videos else families.DURATION
        return Abilities(
            label=f"hosted by {self.info.title}, paid",
            kinds=kinds,
            sizes={kind: _usual_size(kind, by_kind.get(kind)) for kind in KINDS},
            length=Length(duration * DEFAULT_LENGTH.fps, DEFAULT_LENGTH.fps),
            starts_from=starts_from,
            local=False,
            paid=True,
            films=self.info.family(self._model).films if self._model else self.info.film is not None,
        )

    @property
    def key_name(self) -> str | None:
        """The name of the setting that holds the key; None if there is none."""
        return self._settings.first(self.info.keys)

    def _choose(self, kind: Kind, from_picture: bool = False) -> tuple[str, Family]:
        """Return the model for items of a kind, and its family."""
        model = self._model or self.info.default(kind, from_picture) or ""
        return model, self.info.family(model)

    def _model_of(self, task: Task) -> tuple[str, Family]:
        return self._choose(task.kind, task.starts_from_picture)

    def session(self, order_id: str) -> AbstractContextManager[None]:
        """Return a context for all batches of an order: a provider that refuses one is not asked by another."""
        return lane(self.info.name, order_id).joined()

    def check(self, task: Task) -> None:
        self.check_without_keyring(task)
        self._access()

    def check_without_keyring(self, task: Task) -> None:
        """Check a task as `check` does, but do not ask the system keyring for the key."""
        model, family = self._model_of(task)
        name = f"{self.info.name}:{model}"
        if task.kind not in family.kinds:
            raise UsageError(f"model {name!r} makes no {task.kind}s: name another with --{task.kind}-model")
        if self._settings.found_in.get(self.key_name or "") != KEYRING:
            self._access()
        self._patience(task)
        self._check_film(task, name, family)
        if task.kind == "video" and family.durations and task.frames / task.fps not in family.durations:
            allowed = ", ".join(map(str, family.durations))
            raise UsageError(
                f"{name} makes videos of {allowed} seconds, not of {task.frames / task.fps:g}: "
                f"add --duration {family.duration}"
            )
        texts = (
            [task.narration.script] if task.narration else [self._prompt(task, each) for each in task.numbers or (1,)]
        )
        length = max(len(text.encode("utf-16-le")) // 2 for text in texts)
        if family.prompt_limit and length > family.prompt_limit:
            what = "script" if task.narration else "prompt"
            raise UsageError(f"the {what} has {length} characters for {name}: its limit is {family.prompt_limit}")

    def _check_film(self, task: Task, name: str, family: Family) -> None:
        """Raise UsageError for a film by a model that makes clips, and the other way round."""
        if task.kind == "video" and family.films != (task.narration is not None):
            raise UsageError(
                f"{name} makes whole narrated films: give it a text with aigen narrate"
                if family.films
                else f"{name} makes no narrated films: name what makes the pictures with --image-model"
            )
        if task.narration and (task.narration.music or task.from_picture):
            raise UsageError(f"{name} takes no files of yours: leave out --music and --from-image")

    def price(self, task: Task) -> float | None:
        price = self._price(task)
        return None if price is None else round(price * len(task.numbers), 5) + self._pictures_price(task)

    def _pictures_price(self, task: Task) -> float:
        needed = task.starts_from_picture and not task.from_picture
        return (task.image_price or 0.0) * len(task.numbers) if needed else 0.0

    def _price(self, task: Task) -> float | None:
        """Return the price of one item of a task; None if it is not known."""
        model, family = self._model_of(task)
        found = families.price_of(f"{self.info.name}:{model}", self._settings.prices)
        if found is None or (task.starts_from_picture and not task.from_picture and task.image_price is None):
            return None
        size = family.size(task.size, task.starts_from_picture) or task.size
        return found.of(task.kind, size, task.frames / task.fps, task.starts_from_picture)

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        model, _ = self._model_of(task)
        try:
            patience, access = self._patience(task), self._access()
            provider = self._provider(access)
        except (UsageError, GenerationError) as error:
            if any((job := run.job(seed)) and job.id and job.state != "failed" for seed in task.seeds):
                # What is bought waits for somebody who has a key.
                lacks_key = isinstance(error, KeyMissing)
                raise StillRunning(str(error), self._collect_after(), lacks_key=lacks_key) from error
            raise
        self._say_what_differs(task, run)
        pictures = self._pictures(task, run)
        wanted = []
        for number, seed in zip(task.numbers, task.seeds, strict=True):
            if isinstance(found := pictures.get(seed), Failure):
                yield found
            else:
                wanted.append(self._wanted(task, number, seed, found))
        batch = Batch(run, wanted)
        purchases = Purchases(
            info=self.info,
            model=model,
            provider=provider,
            lane=lane(self.info.name, run.order_id),
            patience=patience,
            run=run,
            work=task.work,
            downloads=Downloads(self.info, access, task.kind),
            tell=batch.tell,
        )
        with self.session(run.order_id), closing(batch.make(purchases)) as made:
            said: set[str] = set()
            for seed, each in made:
                for missing in set(purchases.instead) - said:
                    said.add(missing)
                    run.say(f"{self.info.title} has no {missing} for this key: {purchases.instead[missing]} is used")
                yield each if isinstance(each, Failure) else self._output(task, seed, each, pictures.get(seed))

    def _patience(self, task: Task) -> Patience:
        return Patience(
            poll=self._settings.seconds("AIGEN_HOSTED_POLL", self.info.poll),
            deadline=self._settings.seconds("AIGEN_HOSTED_DEADLINE", self._model_of(task)[1].deadline),
            parallel=self._settings.number("AIGEN_HOSTED_PARALLEL", 4),
        )

    def _collect_after(self) -> float:
        """Return when a worker tries again where settings are wrong."""
        with suppress(UsageError):
            return 12 * self._settings.seconds("AIGEN_HOSTED_POLL", self.info.poll)
        return 12 * self.info.poll

    def _wanted(self, task: Task, number: int, seed: int, picture: Picture | None) -> Wanted:
        price = self._price(replace(task, image_price=0.0))
        name = f"{task.kind}-{number}"
        return Wanted(seed, name, price, lambda: self._request(task, number, seed, picture))

    def _output(self, task: Task, seed: int, job: Job, picture: Picture | Failure | None) -> Output:
        path = task.work / (job.result or "")
        parameters = _measure(path)
        start = picture if isinstance(picture, Picture) else None
        if start:
            parameters |= start.metadata()
        own = start is not None and start.made_by is None
        if task.narration:  # a synthetic voice over pictures of its stock
            own = True
            parameters |= {"narration": {"script": task.narration.script, "captions": "off"}}
        source_type = "compositeWithTrainedAlgorithmicMedia" if own else "trainedAlgorithmicMedia"
        model = f"{self.info.name}:{job.model}" if job.model else None
        return Output(path, seed, parameters, source_type, cost=job.cost, model=model)

    def _request(self, task: Task, number: int, seed: int, picture: Picture | None) -> ItemRequest:
        model, family = self._model_of(task)
        seconds = task.frames / task.fps
        price = families.price_of(f"{self.info.name}:{model}", self._settings.prices)
        return ItemRequest(
            model=model,
            kind=task.kind,
            prompt=self._prompt(task, number),
            size=family.size(task.size, picture is not None),
            seconds=round(seconds) if seconds == round(seconds) else seconds,
            seed=seed if family.seed else None,
            picture=_encode(picture.path) if picture else None,
            tokens=price.tokens if price else {},
            instead=self._instead(task, model, family),
            script=task.narration.script if task.narration else None,
            voice=task.narration.voice if task.narration and task.narration.voice != DEFAULT_VOICE else None,
        )

    def _instead(self, task: Task, model: str, family: Family) -> str | None:
        """Return the model to ask for where there is no such model: one that can make this for no more money."""
        if family.instead is None:
            return None
        other, own = self.info.family(family.instead), self._settings.prices
        usual, price = (families.price_of(f"{self.info.name}:{name}", own) for name in (model, family.instead))
        seconds = task.frames / task.fps
        able = task.kind in other.kinds and (task.kind == "image" or not other.durations or seconds in other.durations)
        cheap = usual is not None and price is not None and price.usd <= usual.usd and price.tokens == usual.tokens
        return family.instead if able and cheap else None

    def _prompt(self, task: Task, number: int) -> str:
        return styled(task.prompt, task.style_of(number))

    def _pictures(self, task: Task, run: Run) -> "dict[int, Picture | Failure]":
        """Return the pictures that items start from, by seed. What is bought already needs none."""
        if not task.starts_from_picture:
            return {}
        if task.from_picture:
            run.say(f"your picture goes to {self.info.title}, without the metadata of its file")
        return dict(zip(task.seeds, run.pictures(task.seeds, None), strict=True))

    def _say_what_differs(self, task: Task, run: Run) -> None:
        model, family = self._model_of(task)
        name = f"{self.info.name}:{model}"
        size = family.size(task.size, task.starts_from_picture)
        if size and size != task.size:
            run.say(f"{name} makes {task.kind}s of {size}, which is nearest to {task.size}")
        if task.kind == "video" and task.fps != DEFAULT_LENGTH.fps:
            run.say(f"{name} has frames per second of its own: --fps changes nothing")
        if note := self.info.retirement(model):
            run.say(note)

    def check_key(self) -> str:
        """Ask the provider about the key, which is free; return what it says of the account, if anything.

        Raises ProviderError where the key is refused or the provider cannot be asked, and UsageError.
        """
        return self._provider(self._access()).check_key()

    def cancel(self, job: Job) -> Job:
        """Cancel a job at its provider; return it with what it still costs. Raises ProviderError and UsageError."""
        if not self.info.cancels:
            raise UsageError(f"{self.info.title} cannot cancel it, so it may be charged")
        ended = self._provider(self._access()).cancel(job.id or "")
        return replace(job, state="failed", cost=ended.cost if ended else None)

    def _access(self) -> Access:
        """Return how to reach the provider. Raises UsageError without a usable key."""
        values, name = self._settings.values, self.key_name
        if name is None:
            wanted = " or ".join(self.info.keys)
            raise KeyMissing(
                f"{self.info.title} needs a key, and {wanted} is not set: get one at {self.info.key_page}, "
                f"then store it with aigen keys set {self.info.name}"
            )
        self._settings.check_one_source(name, self.info.base_url)
        try:
            key, base_url = self._settings.read(name), self._settings.read(self.info.base_url).rstrip("/")
        except UsageError as error:
            raise KeyMissing(str(error)) from error
        check_form(key, name)
        if base_url:
            check_base_url(self.info, base_url, self.info.base_url)
        return Access(
            self.info,
            key,
            base_url or self.info.address,
            values.get("OPENAI_ORG_ID"),
            values.get("OPENAI_PROJECT_ID"),
        )

    def _provider(self, access: Access) -> Provider:
        try:
            made: Provider = pkgutil.resolve_name(_MODULES[self.info.name])(access)
        except Exception as error:  # such as of a proxy that needs another package; nothing was sent
            told = shorten(access.redact(str(error)))
            raise GenerationError(f"{self.info.title} cannot be used here ({type(error).__name__}: {told})") from error
        return made


def check_form(key: str, name: str | None = None) -> None:
    """Raise UsageError for what cannot be a key; `name` is the setting that it is from."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"the key{f' in {name}' if name else ''} has characters that no key has: copy it again")


def check_base_url(info: ProviderInfo, url: str, name: str) -> None:
    """Raise UsageError for what is no base URL; `name` says where it is from."""
    if "@" in url:
        raise UsageError(f"{name} is not usable: it has a user name or a password in it, which would be shown")
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise UsageError(f"{name} {url[:80]!r} is not usable: give a URL, such as {info.address}")


def _usual_size(kind: Kind, family: Family | None) -> Size:
    """Return the size for items of a kind if the user gives none."""
    usual = DEFAULT_SIZES[kind]
    return (family.size(usual, False) if family else None) or usual


def _encode(path: Path) -> bytes:
    """Return a picture as a JPEG without metadata, small enough for a request."""
    from PIL import Image

    with Image.open(path) as image:
        picture = image.convert("RGB")
        picture.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE), Image.Resampling.LANCZOS)
        bare = Image.new("RGB", picture.size)
        bare.paste(picture)
        file = io.BytesIO()
        bare.save(file, format="JPEG", quality=_PICTURE_QUALITY)
    return file.getvalue()


def _measure(path: Path) -> dict[str, object]:
    """Return the size of a file, and of a video its length, which may not be what was asked for."""
    if path.suffix != ".mp4":
        from PIL import Image

        with Image.open(path) as image:
            return {"size": f"{image.width}x{image.height}"}
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        measured: dict[str, object] = {"size": f"{stream.width}x{stream.height}"}
        if container.duration and stream.average_rate:
            measured |= {"duration": round(container.duration / av.time_base, 2), "fps": round(stream.average_rate)}
        return measured
