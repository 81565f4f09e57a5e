"""What the user configured.

Settings come from the environment, then a `.env` in the current folder, then the system keyring (API keys), then
`settings.toml` in the platform's user configuration folder; the names are the same everywhere.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aigen import keys
from aigen.content import ContentFolder, write_whole
from aigen.errors import UsageError

NAMES = {
    "AIGEN_CONTENT", "AIGEN_MODEL", "AIGEN_BASE_URL", "AIGEN_MAX_ORDERS", "AIGEN_MAX_ITEMS", "AIGEN_MAX_COST",
    "AIGEN_MAX_MINUTES", "AIGEN_MAX_DISK", "AIGEN_HUGGINGFACE_URL",
    "AIGEN_MONTHLY_COST", "AIGEN_USER_MONTHLY_COST", "AIGEN_WEB_PAID", "AIGEN_REGISTRATION", "AIGEN_HOSTED_PARALLEL",
    "AIGEN_HOSTED_POLL", "AIGEN_HOSTED_DEADLINE", "AIGEN_TRUSTED_PROXY", "AIGEN_SMTP_HOST", "AIGEN_SMTP_PORT",
    "AIGEN_SMTP_SECURITY", "AIGEN_SMTP_USER", "AIGEN_SMTP_PASSWORD", "AIGEN_SMTP_FROM", "AIGEN_SMTP_CA_FILE",
    "AIGEN_DEBUG",
}  # fmt: skip
DEFAULT_CONTENT = "generated_content"
# Who may register in the web gallery: everybody, people with an invitation, nobody.
REGISTRATION = ("open", "invite", "closed")
# What the names of secret settings end with, and how long a secret is at least, to be told from ordinary words.
_SECRET_ENDINGS, SECRET_LENGTH = ("KEY", "SECRET", "TOKEN", "PASSWORD"), keys.LENGTH


@dataclass(frozen=True, order=True)
class Source:
    """Where a setting comes from, by its rank (the lowest wins), and in words."""

    rank: int
    place: str


ENVIRONMENT, KEYRING = Source(0, "the environment"), Source(2, "the system keyring")


@dataclass(frozen=True)
class Settings:
    """`values` holds every setting by its name, such as `AIGEN_MODEL`, but those that the system keyring holds.

    `prices` holds the user's own prices of hosted models, in USD by the name of the model, from the table `prices` of
    `settings.toml`. `found_in` says where each setting comes from, where that is known.
    """

    values: Mapping[str, str]
    prices: Mapping[str, float] = field(default_factory=dict)
    found_in: Mapping[str, Source] = field(default_factory=dict)
    _unlocked: dict[str, str] = field(default_factory=dict, repr=False, compare=False)  # what was read of the keyring

    def is_set(self, name: str) -> bool:
        """Return whether a setting is there and not empty. Does not ask the keyring."""
        return self.found_in.get(name) == KEYRING or bool((self.values.get(name) or "").strip())

    def read(self, name: str) -> str:
        """Return a setting, or an empty text; one that the system keyring holds is read there.

        Raises UsageError where the keyring cannot be read.
        """
        if self.found_in.get(name) != KEYRING:
            return (self.values.get(name) or "").strip()
        if name not in self._unlocked:
            self._unlocked[name] = keys.read(name)
        return self._unlocked[name]

    def first(self, names: Iterable[str]) -> str | None:
        """Return which of some settings is set in the source that comes first; None if none is."""
        return min(filter(self.is_set, names), key=lambda name: self.found_in.get(name, ENVIRONMENT), default=None)

    def content(self, chosen: Path | None) -> ContentFolder:
        root = chosen or Path(self.values.get("AIGEN_CONTENT") or DEFAULT_CONTENT)
        root = root.expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise UsageError(f"the content folder {str(root)!r} is a file: give a folder")
        return ContentFolder(root)

    @property
    def model(self) -> str | None:
        """The model the user chose as the default, if any."""
        return self.values.get("AIGEN_MODEL") or None

    def number(self, name: str, otherwise: int) -> int:
        """A setting that is a whole number above 0. Raises UsageError."""
        text = self.values.get(name) or str(otherwise)
        if not text.isascii() or not text.isdigit() or int(text[:9]) == 0:
            raise UsageError(f"{name} {text[:80]!r} is not usable: give a whole number above 0")
        return int(text[:9])

    def choice(self, name: str, *choices: str) -> str:
        """Return a setting that is one of several words; the first if it is not set. Raises UsageError."""
        text = self.values.get(name) or choices[0]
        if text not in choices:
            raise UsageError(f"{name} {text[:80]!r} is not usable: choose from {', '.join(choices)}")
        return text

    def amount(self, name: str) -> float | None:
        """Return a setting that is an amount in USD; None if it is not set. Raises UsageError."""
        return self._positive(name, "an amount in USD, such as 2.50")

    def seconds(self, name: str, otherwise: float) -> float:
        """Return a setting that is a number of seconds. Raises UsageError."""
        found = self._positive(name, "a number of seconds, such as 5")
        return otherwise if found is None else found

    def _positive(self, name: str, wanted: str) -> float | None:
        text = self.values.get(name)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < math.inf:
            raise UsageError(f"{name} {text[:80]!r} is not usable: give {wanted}")
        return number

    def check_one_source(self, *names: str) -> None:
        """Raise UsageError if settings of one connection come from several sources.

        A `.env` in a folder of somebody else could otherwise send the user's own password to another server.
        """
        sources = {name: self.found_in.get(name, ENVIRONMENT) for name in names if self.is_set(name)}
        if len(set(sources.values())) > 1:
            told = ", ".join(f"{name} in {source.place}" for name, source in sources.items())
            raise UsageError(f"settings of one connection come from several sources ({told}): put them in one")

    def is_secret(self, name: str) -> bool:
        """Return whether a setting has a secret as its value."""
        return _is_secret(name) and len(self.values.get(name, "").strip()) >= SECRET_LENGTH

    def redact(self, text: str) -> str:
        """Return a text without the secrets among the settings."""
        secrets = {value.strip() for name, value in self.values.items() if self.is_secret(name)}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "…")
        return keys.redact(text)

    def read_base_url(self) -> str | None:
        """Where the web gallery is reached from outside, if the user said so. Raises UsageError."""
        url = (self.values.get("AIGEN_BASE_URL") or "").rstrip("/")
        if url and not _is_web_address(url):
            raise UsageError(
                f"AIGEN_BASE_URL {url[:80]!r} is not usable: give a URL without a path, such as https://example.org"
            )
        scheme, _, rest = url.partition("://")
        return f"{scheme.lower()}://{rest}" if url else None


NO_SETTINGS = Settings({})


def _is_secret(name: str) -> bool:
    return name.upper().endswith(_SECRET_ENDINGS)


def _is_web_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        _ = found.port  # which is looked at only when it is asked for
    except ValueError:
        return False
    wrong = found.query or found.fragment or found.username or not url.isprintable() or " " in url
    return found.scheme in ("http", "https") and bool(found.hostname) and found.path in ("", "/") and not wrong


def settings_file() -> Path:
    """Where the user's own settings are kept."""
    from platformdirs import user_config_path

    return user_config_path("aigen") / "settings.toml"


def write_setting(file: Path, name: str, value: str) -> None:
    """Set one of the user's own settings; what else stands in the file stays as it is. Raises UsageError."""

    def change(document: Any) -> None:
        document[name] = value

    _change(file, change)


def store_keys(file: Path, values: Mapping[str, str]) -> Source:
    """Store API keys, and what belongs to them, in the system keyring; without one, in the settings file.

    Returns where they are. Raises UsageError.
    """
    kept = [keys.store(name, value) for name, value in values.items()]

    def change(document: Any) -> None:
        for name, value in values.items():
            document.pop(name, None)
            if not all(kept):
                document[name] = value
        held = set(document.pop("keyring", [])) - set(values) | (set(values) if all(kept) else set())
        if held:
            document["keyring"] = sorted(held)

    _change(file, change)
    return KEYRING if all(kept) else _file_source(file)


def remove_keys(file: Path, names: Iterable[str]) -> list[Source]:
    """Remove API keys, and what belongs to them, from the keyring and the settings file; return from where.

    Raises UsageError.
    """
    found: list[Source] = []

    def change(document: Any) -> None:
        held = list(document.get("keyring", []))
        for name in names:
            if name in held:
                keys.remove(name)
                held.remove(name)
                found.append(KEYRING)
            if document.pop(name, None) is not None:
                found.append(_file_source(file))
        if held:
            document["keyring"] = held
        else:
            document.pop("keyring", None)

    _change(file, change)
    return list(dict.fromkeys(found))


def _change(file: Path, change: Callable[[Any], None]) -> None:
    """Change the settings file; what else stands in it stays as it is. Raises UsageError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
        change(document)
        file = file.resolve()  # which may be kept elsewhere, behind a link
        with write_whole(file) as unfinished:
            unfinished.touch(mode=0o600)  # passwords stand in it
            unfinished.write_text(tomlkit.dumps(document), encoding="utf-8")
    except (OSError, ValueError, TOMLKitError) as error:
        raise UsageError(f"the settings file {str(file)!r} cannot be written: {error}") from error


def read_settings(environment: Mapping[str, str], folder: Path, file: Path) -> Settings:
    """Read the settings of a process started in `folder`; what stands first wins: environment, `.env`, `file`."""
    kept = _read_toml(file)
    prices = _read_prices(file, kept.pop("prices", {}))
    held = _read_held(file, kept.pop("keyring", []))
    values = {name: str(value) for name, value in kept.items()}
    near = _read_dotenv(folder / ".env")
    for name in held:
        values.pop(name, None)
    stored = {*held, *filter(_is_secret, values)}
    near, environment = (  # an empty variable hides no key that is stored
        {name: text for name, text in each.items() if name not in stored or text.strip()}
        for each in (near, environment)
    )
    sources: list[tuple[Iterable[str], Source]] = [
        (values, _file_source(file)),
        (near, Source(1, str(folder / ".env"))),
        (environment, ENVIRONMENT),
        ([name for name in held if name not in environment and name not in near], KEYRING),
    ]
    found_in = {name: source for names, source in sources for name in names}
    return Settings({**values, **near, **environment}, prices, found_in)


def _file_source(file: Path) -> Source:
    return Source(3, str(file))


def _read_held(path: Path, names: Any) -> list[str]:
    """Return the names of the settings that the system keyring holds."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f'the settings file {str(path)!r} has {names!r} as keyring: give a list such as ["HF_TOKEN"]')
    return names


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}") from error


def _read_prices(path: Path, table: Any) -> dict[str, float]:
    """Return the user's own prices."""
    for name, price in table.items() if isinstance(table, dict) else [("prices", table)]:
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < math.inf:
            raise UsageError(
                f"the settings file {str(path)!r} has {price!r} as the price of {name!r}: give USD for an image or "
                'a second of video, such as "runway:gen4.5" = 0.12 below [prices]'
            )
    return {name: float(price) for name, price in table.items()}


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the settings file {str(path)!r} cannot be read: {error}") from error
