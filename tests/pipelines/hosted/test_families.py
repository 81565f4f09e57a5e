import re
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

from aigen.errors import UsageError
from aigen.orders.tasks import task_of
from aigen.pipelines import hosted
from aigen.pipelines.hosted import families
from aigen.settings import Settings, read_settings, write_setting
from aigen.types.pipeline import Task
from aigen.types.request import GenerationRequest, Kind, Size

FOLDER = Path(families.__file__).parent


def family(name: str) -> families.Family:
    provider, _, model = name.partition(":")
    return families.providers()[provider].family(model)


def test_every_table_can_be_read() -> None:
    for provider in families.providers().values():
        assert provider.listed()
        for kind in provider.kinds:
            model = provider.default(kind)
            assert model
            assert kind in provider.family(model).kinds
            known = families.price_of(f"{provider.name}:{model}", {}) is not None
            assert known == (provider.name not in ("huggingface", "pictory")), "which bill by providers, and in credits"
        for each in provider.families:
            if each.successor:
                assert not families.is_retired(provider.family(each.successor))


def test_each_price_has_a_date_and_a_source() -> None:
    prices = tomllib.loads((FOLDER / "prices.toml").read_text())["prices"]
    for price in prices:
        assert isinstance(price["date"], date)
        assert price["source"].startswith("https://")
        assert price["usd"] > 0


@pytest.mark.parametrize(
    ("name", "wanted", "from_picture", "size"),
    [
        ("runway:gen4.5", Size(1280, 720), False, Size(1280, 720)),
        ("runway:gen4.5", Size(600, 1000), False, Size(720, 1280)),
        ("runway:gen4.5", Size(800, 600), True, Size(1104, 832)),
        ("runway:gen4_image", Size(1024, 1024), False, Size(1024, 1024)),
        ("runway:gen4_image", Size(4000, 2250), False, Size(1920, 1080)),
        ("runway:kling2.5_turbo_pro", Size(800, 600), True, None),
        ("runway:something_new", Size(333, 444), False, Size(333, 444)),
        ("openai:gpt-image-2.6-flare", Size(1000, 600), False, Size(992, 608)),
        ("openai:gpt-image-2.6-flare", Size(4096, 16), False, Size(432, 144)),
        ("openai:gpt-image-1.5", Size(800, 600), False, Size(1536, 1024)),
    ],
)
def test_the_nearest_size_is_asked_for(name: str, wanted: Size, from_picture: bool, size: Size | None) -> None:
    assert family(name).size(wanted, from_picture) == size


def test_any_size_is_within_the_limits() -> None:
    for width in range(16, 4097, 255):
        for height in range(16, 4097, 255):
            size = family("openai:gpt-image-2").size(Size(width, height), False)
            assert size
            assert size.width % 16 == size.height % 16 == 0
            assert size.width * size.height <= 3840 * 2160
            assert max(size.width, size.height) <= 3 * min(size.width, size.height)


def task(name: str, kind: Kind, **changes: object) -> tuple[hosted.Hosted, Task]:
    pipeline = hosted.load(name, Settings({"RUNWAYML_API_SECRET": "key_of_a_test", "OPENAI_API_KEY": "key_of_a_test"}))
    request = GenerationRequest(prompt="a kite", seed=1, **changes)  # type: ignore[arg-type]
    found = task_of(request, kind, pipeline)
    return pipeline, Task(**{**vars(found), "numbers": (1, 2), "seeds": (1, 2)})


@pytest.mark.parametrize(
    ("name", "kind", "changes", "price"),
    [
        ("runway", "video", {}, 1.2),
        ("runway:gen4_turbo", "video", {"from_picture": True}, 0.5),
        ("runway:veo3.1", "video", {}, 3.2),
        ("runway", "image", {}, 0.16),
        ("openai", "image", {}, 0.04),
        ("openai", "image", {"size": "2048x1024"}, 0.07989),
        ("openai", "image", {"from_picture": True}, 0.14),
        ("runway:something_new", "video", {}, None),
    ],
)
def test_a_task_has_a_price(name: str, kind: Kind, changes: dict[str, object], price: float | None) -> None:
    pipeline, made = task(name, kind, **changes)
    pipeline.check(made)
    assert pipeline.price(made) == (price if price is None else pytest.approx(price, abs=1e-4))


def test_the_users_own_prices_win(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('AIGEN_MODEL = "runway"\n[prices]\n"runway:gen4.5" = 0.25\n"runway:new" = 1\n')
    settings = read_settings({}, tmp_path, file)
    assert (settings.prices, settings.model) == ({"runway:gen4.5": 0.25, "runway:new": 1.0}, "runway")
    assert "prices" not in settings.values
    known, new = (families.price_of(f"runway:{name}", settings.prices) for name in ("gen4.5", "new"))
    assert known
    assert new
    assert (known.usd, new.usd) == (0.25, 1.0)
    write_setting(file, "AIGEN_CONTENT", "elsewhere")
    assert read_settings({}, tmp_path, file).values["AIGEN_CONTENT"] == "elsewhere"
    assert read_settings({}, tmp_path, file).prices == settings.prices


@pytest.mark.parametrize("price", ['"much"', "-1", "true", "inf", "[1]"])
def test_a_price_that_is_none_is_refused(tmp_path: Path, price: str) -> None:
    (tmp_path / "settings.toml").write_text(f'[prices]\n"runway:gen4.5" = {price}\n')
    with pytest.raises(UsageError, match=re.escape("'runway:gen4.5'")):
        read_settings({}, tmp_path, tmp_path / "settings.toml")


@pytest.mark.parametrize(
    ("name", "kind", "changes", "told"),
    [
        ("runway", "video", {"duration": 12.0}, "makes videos of 2, 3, 4, 5, 6, 7, 8, 9, 10 seconds, not of 12"),
        ("runway:veo3.1", "video", {"duration": 5.0}, "4, 6, 8"),
        ("runway:gen4.5", "image", {}, "makes no images"),
        ("runway", "video", {"prompt": "🪁" * 501}, "1002 characters for runway:gen4.5: its limit is 1000"),
    ],
)
def test_what_a_model_cannot_make_is_said_before(name: str, kind: Kind, changes: dict[str, object], told: str) -> None:
    pipeline = hosted.load(name, Settings({"RUNWAYML_API_SECRET": "key_of_a_test"}))
    request = GenerationRequest(**{"prompt": "a kite", "seed": 1} | changes)  # type: ignore[arg-type]
    made = Task(**{**vars(task_of(request, "video", pipeline)), "kind": kind})
    with pytest.raises(UsageError, match=told):
        pipeline.check(made)


@pytest.mark.parametrize("key", ["key\nwith a break", "schlüssel", "two words"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(key: str) -> None:
    pipeline, made = task("openai", "image")
    pipeline = hosted.load("openai", Settings({"OPENAI_API_KEY": key}))
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as raised:
        pipeline.check(made)
    assert key not in str(raised.value)


def test_a_name_without_a_model_is_refused() -> None:
    with pytest.raises(UsageError, match="names no model"):
        hosted.load("runway:", Settings({}))


def test_a_model_that_retires_soon_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Today(date):
        @classmethod
        def today(cls) -> "Today":
            return cls(2026, 11, 26)

    monkeypatch.setattr(families, "date", Today)
    assert hosted.retirement("openai:gpt-image-1.5") == (
        "OpenAI retires gpt-image-1.5 on 2026-12-01: use openai:gpt-image-2.6-flare"
    )
    assert "OpenAI retired gpt-image-1 on 2026-10-23" in str(hosted.retirement("openai:gpt-image-1"))
    assert hosted.retirement("openai:gpt-image-2.6-flare") is None
    assert families.is_retired(families.Family(retires=Today.today()), Today.today())
    assert not families.is_retired(families.Family(retires=Today.today() + timedelta(days=1)), Today.today())
